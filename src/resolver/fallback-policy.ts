import type { ByokErrorCode } from "../errors.ts";
import { type OptionKind, oneOf, recordOf } from "../option-kinds.ts";
import { type OptionRules, readOptions } from "../read-options.ts";
import type { Slot } from "../slot.ts";

/**
 * Why an organisation's own key does not serve a slot.
 *
 * - `absent`: it has none for that provider.
 * - `undecryptable`: it has one that does not open.
 * - `keyring_outdated`: it has one that this worker's keyring cannot open yet.
 * - `keyring_unavailable`: it has one, and this worker's keyring failed, or did not answer: a key service.
 * - `store_unavailable`: it is unknown, because the database does not answer.
 * - `rejected`: it has one that the provider has refused, here and less than 30 seconds ago.
 * - `exhausted`: it has one whose account has no more to spend, as the provider has said here less than 30 seconds ago.
 */
export type KeyFailure =
  | "absent"
  | "undecryptable"
  | "keyring_outdated"
  | "keyring_unavailable"
  | "store_unavailable"
  | RefusedKeyFailure;

/** What a provider says of a key, in the answer to a request that carried it. */
export type RefusedKeyFailure = "rejected" | "exhausted";

/** What happens then: the platform's key serves the slot, or the call fails with a typed error. */
export type FallbackDecision = "platform" | "fail";

/**
 * A decision per failure, or a function that decides case by case. What is left out: `absent` is `platform`, everything
 * else is `fail`. Choosing `platform` for anything but `absent` bills the platform for customers that have keys.
 *
 * A key that its provider refuses is found out by a request. What is stored is read once more then, past every cache: where
 * there is a newer key, the request is sent again with that. Else the key is marked for 30 seconds, in this worker, and what
 * is decided here holds for that request, which is sent again with the platform's key where its body can be sent twice, and
 * for every other one that the key would serve. Then one request tries it anew. A provider's refusal of one model, or of too
 * many requests at a time, marks nothing.
 *
 * A function may answer later, within the call's deadline; what is known of the organisation is looked at again after it, and
 * where that has changed it is asked again, three times at most. "platform" then holds for a slot's requests as long as the
 * failure is the same, and for `leaseMs` at most (for `callStaleMs` while the database is away); "fail" holds for none. A
 * function that has always answered at once is asked with every request. One that throws, rejects, or answers with anything
 * else than a decision fails the slot with `options_invalid`.
 */
export type FallbackPolicy =
  | { readonly [F in KeyFailure]?: FallbackDecision | undefined }
  | ((failed: FailedKey) => FallbackAnswer | Promise<FallbackAnswer>);

/** `undefined`: as if nothing had been said of that failure. */
export type FallbackAnswer = FallbackDecision | undefined;

export interface FailedKey {
  readonly orgId: string;
  readonly provider: string;
  readonly slot: Slot;
  readonly failure: KeyFailure;
}

const decision: OptionKind = oneOf("platform", "fail");
const decisions: OptionRules<{ readonly [F in KeyFailure]?: FallbackDecision }> = {
  absent: decision,
  undecryptable: decision,
  keyring_outdated: decision,
  keyring_unavailable: decision,
  store_unavailable: decision,
  rejected: decision,
  exhausted: decision,
};

export const policyKind: OptionKind = {
  form: 'a decision per failure, such as { absent: "fail" }, or a function',
  fits: (value) => typeof value === "function" || recordOf("").fits(value),
};

/** @throws ByokError `options_invalid` for a failure or a decision that there is not. */
export function parsePolicy(policy: FallbackPolicy = {}): FallbackPolicy {
  return typeof policy === "function" ? policy : readOptions("fallback", policy, decisions);
}

/** `invalid`: a policy that decided nothing. It never is the platform's key that serves then. */
export type Decided = FallbackDecision | "invalid";

export function decide(policy: FallbackPolicy, failed: FailedKey): Decided | Promise<Decided> {
  const answer = typeof policy === "function" ? ask(policy, failed) : policy[failed.failure];
  return answer instanceof Promise ? answer.then((late) => toDecided(late, failed)) : toDecided(answer, failed);
}

function toDecided(answer: unknown, { failure }: FailedKey): Decided {
  if (answer === undefined) return failure === "absent" ? "platform" : "fail";
  return answer === "platform" || answer === "fail" ? answer : "invalid";
}

function ask(policy: (failed: FailedKey) => unknown, failed: FailedKey): unknown {
  try {
    const answer = policy(failed);
    const mayBePromise = (typeof answer === "object" && answer !== null) || typeof answer === "function";
    return mayBePromise ? awaitAnswer(answer) : answer;
  } catch {
    return "nothing";
  }
}

async function awaitAnswer(answer: unknown): Promise<unknown> {
  try {
    return await answer;
  } catch {
    return "nothing";
  }
}

export const errorCodes: Readonly<Record<KeyFailure, ByokErrorCode>> = {
  absent: "key_not_configured",
  undecryptable: "key_undecryptable",
  keyring_outdated: "keyring_outdated",
  keyring_unavailable: "keyring_unavailable",
  store_unavailable: "store_unavailable",
  rejected: "key_rejected",
  exhausted: "key_exhausted",
};

/** What each failure is, and what to do about it. */
export const nextSteps: Readonly<Record<KeyFailure, string>> = {
  absent: "has no key for it, and no platform key may stand in. Add the organisation's key, or pass a platform key.",
  undecryptable: "has a key that does not open. Ask the organisation to enter it again.",
  keyring_outdated:
    "has a key sealed under a kid that this keyring lacks. Roll out the current keyring to this worker.",
  keyring_unavailable:
    "has a key, but this worker's keyring does not answer. Check the key service behind it, then try again.",
  store_unavailable: "may have a key, but the key store does not answer. Check the database, then try again.",
  rejected: "has a key that its provider refuses. Ask the organisation to enter a valid one.",
  exhausted: "has a key whose account has no more to spend. Ask the organisation to top it up.",
};
