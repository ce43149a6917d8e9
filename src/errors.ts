import { copyOwn } from "./own-property.ts";
import type { Slot } from "./slot.ts";

/**
 * Every way byokit fails. Codes never change and never mean two things; messages may change.
 *
 * - `account_unsupported`: the provider takes no such field of an account beside a key.
 * - `agent_invalid`: the agent's config names no slot, is not an object of the documented shape, or names a provider in
 *   a slot that it cannot serve.
 * - `change_not_visible`: `atLeast` names a change that the database did not show by the deadline.
 * - `checks_limited`: the organisation has keys of that provider checked too often; `retryAfterMs` has the wait.
 * - `closed`: the resolver was closed.
 * - `deadline_exceeded`: the call's deadline ended first.
 * - `host_refused`: a built client was asked to send its key to a host that does not belong to the key.
 * - `import_failed`: a file of byokit's own, or of an SDK that is installed, could not be loaded: as a rule because the process
 *   may open no more files.
 * - `key_changed`: a later change of the same key was asked for meanwhile; this one stored nothing.
 * - `key_exhausted`: the key's account has no more to spend.
 * - `key_malformed`: the text cannot be a key of that provider.
 * - `key_not_configured`: neither the organisation nor the platform has a key for the provider.
 * - `key_rejected`: the provider says that the key is not valid.
 * - `key_replaced`: the key was replaced while a request was on its way, or a call was being decided; nothing was sent.
 * - `key_revoked`: the organisation has removed the key that a call held, and nothing may stand in.
 * - `key_undecryptable`: the stored key does not open, or is bound to another organisation, provider, secret, region
 *   or account.
 * - `keyring_unavailable`: a keyring of the platform's own (a key service) did not answer, or failed.
 * - `keyring_outdated`: the stored key is sealed under a `kid` that this process's keyring does not have.
 * - `options_invalid`: an option of byokit's own functions is wrong.
 * - `org_invalid`: the organisation's id is not 1 to 255 characters of well-formed Unicode without control characters.
 * - `platform_key_refused`: the provider refuses the platform's own key; no organisation's.
 * - `provider_failed`: a provider could not be reached, or rejected a socket for another reason than its key.
 * - `provider_unknown`: no provider has that id.
 * - `region_unknown`: the provider has no such region.
 * - `request_timeout`: a provider did not answer a built client's request within `requestTimeoutMs`.
 * - `sdk_missing`: the provider's SDK is not installed.
 * - `sdk_unsupported`: the provider's SDK, or the runtime, does not send through byokit what it should.
 * - `store_unavailable`: the database did not answer, did not take the call, or has no schema.
 */
export type ByokErrorCode =
  | "account_unsupported"
  | "agent_invalid"
  | "change_not_visible"
  | "checks_limited"
  | "closed"
  | "deadline_exceeded"
  | "host_refused"
  | "import_failed"
  | "key_changed"
  | "key_exhausted"
  | "key_malformed"
  | "key_not_configured"
  | "key_rejected"
  | "key_replaced"
  | "key_revoked"
  | "key_undecryptable"
  | "keyring_outdated"
  | "keyring_unavailable"
  | "options_invalid"
  | "org_invalid"
  | "platform_key_refused"
  | "provider_failed"
  | "provider_unknown"
  | "region_unknown"
  | "request_timeout"
  | "sdk_missing"
  | "sdk_unsupported"
  | "store_unavailable";

/** Whether the same call may succeed when it is made again. */
const isRetryable = {
  account_unsupported: false,
  agent_invalid: false,
  change_not_visible: true,
  checks_limited: true,
  closed: false,
  deadline_exceeded: true,
  host_refused: false,
  import_failed: true,
  key_changed: false,
  key_exhausted: false,
  key_malformed: false,
  key_not_configured: false,
  key_rejected: false,
  key_replaced: true,
  key_revoked: false,
  key_undecryptable: false,
  keyring_outdated: false,
  keyring_unavailable: true,
  options_invalid: false,
  org_invalid: false,
  platform_key_refused: false,
  provider_failed: true,
  provider_unknown: false,
  region_unknown: false,
  request_timeout: true,
  sdk_missing: false,
  sdk_unsupported: false,
  store_unavailable: true,
} satisfies Record<ByokErrorCode, boolean>;

/** One slot that could not be served. */
export interface SlotFailure {
  readonly code: ByokErrorCode;
  readonly slot: Slot;
  readonly provider: string;
  readonly message: string;
}

export interface ByokErrorDetails {
  readonly orgId?: string | undefined;
  readonly provider?: string | undefined;
  readonly slot?: Slot | undefined;
  readonly failures?: readonly SlotFailure[] | undefined;
  readonly reason?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** `false`: no repetition mends this one, though it may mend others of its code. */
  readonly retryable?: false | undefined;
}

const brand = Symbol.for("byokit.error");

/**
 * The one error class of byokit. Its message ends with the next step. It never has a `cause`: what a driver, a cipher
 * or an SDK throws may hold a key.
 */
export class ByokError extends Error {
  override readonly name = "ByokError";
  readonly code: ByokErrorCode;
  /** Whether the same call may succeed when it is made again. */
  readonly retryable: boolean;
  declare readonly orgId?: string;
  declare readonly provider?: string;
  declare readonly slot?: Slot;
  /** Every slot that failed, in the agent's order; `code` is the first one's. */
  declare readonly failures?: readonly SlotFailure[];
  /** Why a provider refuses, as one word of byokit's own. Absent where it was not asked, or did not say. */
  declare readonly reason?: string;
  /** Milliseconds after which the same call may succeed; sooner it fails again. Only with `checks_limited`. */
  declare readonly retryAfterMs?: number;

  constructor(code: ByokErrorCode, message: string, given: ByokErrorDetails = {}) {
    super(message);
    const details = copyOwn(given);
    this.code = code;
    this.retryable = details.failures
      ? details.failures.every((failure) => isRetryable[failure.code])
      : (details.retryable ?? isRetryable[code]);
    if (details.orgId !== undefined) this.orgId = details.orgId;
    if (details.provider !== undefined) this.provider = details.provider;
    if (details.slot !== undefined) this.slot = details.slot;
    if (details.failures !== undefined) this.failures = details.failures;
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is a {@link ByokError}, also one of another copy of this package in the same process. */
export function isByokError(value: unknown): value is ByokError {
  return value instanceof Error && (value as { [brand]?: unknown })[brand] === true;
}
