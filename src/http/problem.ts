import type { ByokErrorCode } from "../errors.ts";

/**
 * Why a request failed: a code of byokit's own errors, or one of HTTP's side.
 *
 * - `body_malformed`: the body is no JSON object of the documented fields, or not UTF-8.
 * - `body_too_large`: the body is longer than 16 KiB.
 * - `body_timeout`: the body did not arrive within ten seconds.
 * - `client_gone`: the client went away before a change was made, and does not read this answer.
 * - `content_type_unsupported`: the body is not declared as `application/json`.
 * - `forbidden`: the principal may read only.
 * - `internal`: a fault of the service's own.
 * - `method_not_allowed`: the path has other methods, which `Allow` names.
 * - `not_found`: there is no such path.
 * - `query_malformed`: a query parameter is not what the path takes.
 * - `request_malformed`: the request has no valid target or host.
 * - `server_closing`: the server ends, and has not carried the request out. Another one, or its successor, will.
 * - `unauthenticated`: no one is signed in.
 */
export type ProblemCode =
  | ByokErrorCode
  | "body_malformed"
  | "body_timeout"
  | "body_too_large"
  | "client_gone"
  | "content_type_unsupported"
  | "forbidden"
  | "internal"
  | "method_not_allowed"
  | "not_found"
  | "query_malformed"
  | "request_malformed"
  | "server_closing"
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
  /** Why a provider does not take a key, as one word: `wrong_key`, `wrong_region`, … Absent elsewhere. */
  readonly reason?: string | undefined;
}

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 422 | 429 | 499 | 500 | 503;

export const titles: Readonly<Record<ProblemStatus, string>> = {
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
  429: "Too Many Requests",
  499: "Client Closed Request",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A code of HTTP's side. */
export type RequestCode = Exclude<ProblemCode, ByokErrorCode>;

export const requestStatuses: Readonly<Record<RequestCode, ProblemStatus>> = {
  body_malformed: 400,
  body_timeout: 408,
  body_too_large: 413,
  client_gone: 499,
  content_type_unsupported: 415,
  forbidden: 403,
  internal: 500,
  method_not_allowed: 405,
  not_found: 404,
  query_malformed: 400,
  request_malformed: 400,
  server_closing: 503,
  unauthenticated: 401,
};

/** What a customer is told of an error: `null` is its own message. */
export interface Told {
  readonly status: ProblemStatus;
  readonly detail: string | null;
}

const unreachable = {
  status: 503,
  detail: "The keys cannot be reached right now. Make the same request again.",
} as const;
const unopened = { status: 409, detail: "The stored key does not open. Enter it again." } as const;
const ownMessage = { status: 422, detail: null } as const;

/** Of byokit's own errors; what is `"internal"` is none of a customer's business. */
export const told: Readonly<Record<ByokErrorCode, Told | "internal">> = {
  account_unsupported: ownMessage,
  agent_invalid: "internal",
  change_not_visible: "internal",
  checks_limited: { status: 429, detail: null },
  closed: "internal",
  deadline_exceeded: { status: 503, detail: "The request took too long. Make the same request again." },
  host_refused: "internal",
  import_failed: "internal",
  key_changed: { status: 409, detail: null },
  key_exhausted: "internal",
  key_malformed: ownMessage,
  key_not_configured: { status: 404, detail: "There is no key of that provider. Add one first." },
  key_rejected: ownMessage,
  key_replaced: "internal",
  key_revoked: "internal",
  key_undecryptable: unopened,
  // The process has another keyring than the one that sealed the key: the operator is told.
  keyring_outdated: unreachable,
  keyring_unavailable: unreachable,
  options_invalid: "internal",
  org_invalid: "internal",
  platform_key_refused: "internal",
  provider_failed: "internal",
  provider_unknown: ownMessage,
  region_unknown: ownMessage,
  request_timeout: "internal",
  sdk_missing: "internal",
  sdk_unsupported: "internal",
  store_unavailable: unreachable,
};
