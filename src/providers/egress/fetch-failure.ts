import { type ByokError, isByokError } from "../../errors.ts";
import type { KeyScrubber } from "./key-scrubber.ts";

/** What undici and Node say of a connection that was closed under a request, as an idle one is that the server gives up. */
const lost: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether an answer leads to another URL. */
export function isRedirect({ status, type }: Response): boolean {
  return redirects.has(status) || type === "opaqueredirect";
}

/** Whether a connection was closed under a request before an answer came. */
export function isConnectionLost(error: unknown): boolean {
  return lost.has(codeOf(error instanceof Error ? error.cause : undefined) ?? "");
}

/**
 * What `fetch` throws, in its shape: SDKs and frameworks try it again by its name and by its cause's code. At the end of its
 * causes stands what byokit says of it. Whatever may hold the request or the answer is replaced rather than masked: a
 * parser's error has the bytes that came, and an echo of the request's head among them.
 */
export function toFailure(error: unknown, scrubber: KeyScrubber, explain: () => ByokError): unknown {
  if (isByokError(error) || !(error instanceof TypeError)) return error;
  const { cause } = error;
  if (isByokError(cause)) return cause;
  const code = codeOf(cause);
  if (code === undefined) return new TypeError(scrubber.scrub(error.message), { cause: explain() });
  const isParserError = code.startsWith("HPE_");
  const message = isParserError || !(cause instanceof Error) ? "the answer is not HTTP" : cause.message;
  const shown = new Error(scrubber.scrub(message), { cause: explain() });
  return new TypeError(error.message, { cause: Object.assign(shown, { code }) });
}

/**
 * What a reader is told of an answer that broke off: never an AbortError that was not asked for, which OpenAI's SDK takes for
 * the end of a complete answer.
 */
export function breakToFailure(
  error: unknown,
  signal: AbortSignal | null | undefined,
  explain: () => ByokError,
): unknown {
  if (isByokError(error) || signal?.aborted === true) return error;
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return isByokError(cause) ? cause : explain();
}

function codeOf(cause: unknown): string | undefined {
  const code: unknown = typeof cause === "object" && cause !== null ? Reflect.get(cause, "code") : undefined;
  return typeof code === "string" ? code : undefined;
}
