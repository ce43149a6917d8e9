import { type ByokError, type ByokErrorCode, isByokError } from "../errors.ts";

/**
 * Why a request failed: a code of byokit's own errors, or one of HTTP's side.
 *
 * - `body_malformed`: the body is no JSON object of the documented fields, or not UTF-8.
 * - `body_too_large`: the body is longer than 16 KiB.
 * - `body_timeout`: the body did not arrive within ten seconds.
 * - `content_type_unsupported`: the body is not declared as `application/json`.
 * - `forbidden`: the principal may read only.
 * - `internal`: a fault of the service's own.
 * - `method_not_allowed`: the path has other methods, which `Allow` names.
 * - `not_found`: there is no such path.
 * - `query_malformed`: a query parameter is not what the path takes.
 * - `request_malformed`: the request has no valid target or host.
 * - `unauthenticated`: nobody is signed in.
 */
export type ProblemCode =
  | ByokErrorCode
  | "body_malformed"
  | "body_timeout"
  | "body_too_large"
  | "content_type_unsupported"
  | "forbidden"
  | "internal"
  | "method_not_allowed"
  | "not_found"
  | "query_malformed"
  | "request_malformed"
  | "unauthenticated";

/** Problem details (RFC 9457). `code` and `retryable` are extensions of ours. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  /** What happened and what to do. Never holds what the request held. */
  readonly detail: string;
  /** Whether the same request may succeed when it is made again. */
  readonly retryable: boolean;
  /** Why a provider does not take a key, as one word: `wrong_key` or `blocked`. Absent elsewhere. */
  readonly reason?: string | undefined;
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Seconds after which a request that met an outage is worth another try. */
const retryAfterSeconds = 2;

/** A request's failure on its way to its response. */
export class RequestProblem extends Error {
  override readonly name = "RequestProblem";
  readonly status: number;
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  /** What made it one, for the operator; never for a client. */
  readonly origin: unknown;

  constructor(
    status: number,
    code: ProblemCode,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    origin: unknown = undefined,
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.origin = origin;
  }

  get isRetryable(): boolean {
    return this.status === 503 || this.status === 408;
  }

  response(): Response {
    const { status, code, message: detail, isRetryable: retryable } = this;
    const title = titles[status] ?? "Error";
    const type = `urn:byokit:problem:${code}`;
    const { reason } = isByokError(this.origin) ? this.origin : {};
    const body: Problem = { type, title, status, code, detail, retryable, ...(reason === undefined ? {} : { reason }) };
    const retryAfter = status === 503 ? { "retry-after": String(retryAfterSeconds) } : {};
    const noStore = { "cache-control": "no-store" };
    const headers = { "content-type": "application/problem+json", ...noStore, ...retryAfter, ...this.headers };
    return new Response(JSON.stringify(body), { status, headers });
  }
}

/** What a thrown value is to a client. What an operator is to do about it is not among a client's business. */
export function problemOf(error: unknown): RequestProblem {
  if (error instanceof RequestProblem) return error;
  if (isByokError(error)) return problemOfByokError(error);
  return new RequestProblem(500, "internal", "The service failed. Tell its operator, with the time of the request.");
}

function problemOfByokError(error: ByokError): RequestProblem {
  const { code, message } = error;
  switch (code) {
    case "provider_unknown":
    case "region_unknown":
    case "key_malformed":
    case "key_rejected":
      return new RequestProblem(422, code, message, {}, error);
    case "key_not_configured":
      return new RequestProblem(404, code, "There is no key of that provider. Add one first.");
    case "key_undecryptable":
    case "keyring_outdated":
      return new RequestProblem(409, code, "The stored key does not open. Enter it again.");
    case "deadline_exceeded":
      return new RequestProblem(503, code, "The request took too long. Make the same request again.");
    case "store_unavailable":
    case "keyring_unavailable":
      return new RequestProblem(503, code, "The keys cannot be reached right now. Make the same request again.");
    default:
      return problemOf(undefined);
  }
}
