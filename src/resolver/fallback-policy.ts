import type { ByokErrorCode } from "../errors.ts";
import type { Slot } from "../slot.ts";

/**
 * Why an organisation's own key does not serve a slot.
 *
 * - `absent`: it has none for that provider.
 * - `undecryptable`: it has one that does not open.
 * - `keyring_outdated`: it has one that this worker's keyring cannot open yet.
 * - `store_unavailable`: nobody knows, because the database does not answer.
 */
export type KeyFailure = "absent" | "undecryptable" | "keyring_outdated" | "store_unavailable";

/** What happens then: the platform's key serves the slot, or the call fails with a typed error. */
export type FallbackDecision = "platform" | "fail";

/**
 * A decision per failure, or a function that decides case by case. What is left out: `absent` is `platform`, everything
 * else is `fail`. Choosing `platform` for anything but `absent` bills the platform for customers that have keys.
 */
export type FallbackPolicy =
  | { readonly [F in KeyFailure]?: FallbackDecision }
  | ((failed: FailedKey) => FallbackDecision | undefined);

export interface FailedKey {
  readonly orgId: string;
  readonly provider: string;
  readonly slot: Slot;
  readonly failure: KeyFailure;
}

export function decide(policy: FallbackPolicy, failed: FailedKey): FallbackDecision {
  const chosen = typeof policy === "function" ? policy(failed) : policy[failed.failure];
  if (chosen !== undefined) return chosen === "platform" ? "platform" : "fail";
  return failed.failure === "absent" ? "platform" : "fail";
}

export const errorCodes: Readonly<Record<KeyFailure, ByokErrorCode>> = {
  absent: "key_not_configured",
  undecryptable: "key_undecryptable",
  keyring_outdated: "keyring_outdated",
  store_unavailable: "store_unavailable",
};

/** What each failure is, and what to do about it. */
export const nextSteps: Readonly<Record<KeyFailure, string>> = {
  absent: "has no key for it, and no platform key may stand in. Add the organisation's key, or pass a platform key.",
  undecryptable: "has a key that does not open. Ask the organisation to enter it again.",
  keyring_outdated:
    "has a key sealed under a kid that this keyring lacks. Roll out the current keyring to this worker.",
  store_unavailable: "may have a key, but the key store does not answer. Check the database, then try again.",
};
