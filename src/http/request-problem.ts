import { type ByokError, isByokError } from "../errors.ts";
import {
  type Problem,
  type ProblemCode,
  type ProblemStatus,
  type RequestCode,
  requestStatuses,
  type Told,
  titles,
  told,
} from "./problem.ts";

/** Seconds after which a request that met an outage is worth another try. */
const retryAfterSeconds = 2;

interface ProblemFacts {
  readonly status: ProblemStatus;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly origin?: unknown;
}

/** A request's failure on its way to its response. */
export class RequestProblem extends Error {
  override readonly name = "RequestProblem";
  readonly status: ProblemStatus;
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  /** What made it one, for the operator; never for a client. */
  readonly origin: unknown;

  constructor({ status, code, detail, headers = {}, origin }: ProblemFacts) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.origin = origin;
  }

  get isRetryable(): boolean {
    return this.status === 503 || this.status === 429 || this.status === 408;
  }

  toResponse(): Response {
    const { status, code, message: detail, isRetryable: retryable } = this;
    const title = titles[status];
    const type = `urn:byokit:problem:${code}`;
    const { reason, retryAfterMs } = isByokError(this.origin) ? this.origin : {};
    const body: Problem = { type, title, status, code, detail, retryable, ...(reason === undefined ? {} : { reason }) };
    const noStore = { "cache-control": "no-store" };
    const headers = {
      "content-type": "application/problem+json",
      ...noStore,
      ...describeWait(status, retryAfterMs),
      ...this.headers,
    };
    return forbidSniffing(new Response(JSON.stringify(body), { status, headers }));
  }
}

/** A browser is to take no answer for a page or a script, whatever it holds. */
export function forbidSniffing(response: Response): Response {
  response.headers.set("x-content-type-options", "nosniff");
  return response;
}

/** When the same request is worth another try, in whole seconds: sooner it would fail again. */
function describeWait(status: ProblemStatus, retryAfterMs = 0): Readonly<Record<string, string>> {
  if (status === 503) return { "retry-after": String(retryAfterSeconds) };
  if (status === 429) return { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) };
  return {};
}

/** A failure of HTTP's side, with the status that its code has. */
export function makeProblem(
  code: RequestCode,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): RequestProblem {
  return new RequestProblem({ status: requestStatuses[code], code, detail, headers });
}

/** What a thrown value is to a client. What an operator is to do about it is not among a client's business. */
export function toProblem(error: unknown): RequestProblem {
  if (error instanceof RequestProblem) return error;
  const problem = isByokError(error) ? tellCustomer(error) : undefined;
  return problem ?? makeProblem("internal", "The service failed. Tell its operator, with the time of the request.");
}

function tellCustomer(error: ByokError): RequestProblem | undefined {
  const { code, message } = error;
  // An error of another copy of this package may have a code that is newer than this table.
  const answer: Told | "internal" | undefined = told[code];
  if (answer === undefined || answer === "internal") return undefined;
  return new RequestProblem({ status: answer.status, code, detail: answer.detail ?? message, origin: error });
}
