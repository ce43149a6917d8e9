import type { KeyRef, SealedKey } from "./sealed-key.ts";

/** Who asked for a change; `null` when that was not said. */
export interface Attribution {
  readonly actor: string | null;
}

/**
 * What a provider said of a key. `restricted`: valid, but without some scope. `exhausted`: valid, but its account has no
 * more to spend, as a call found out. `unreachable`: it did not say. `skipped`: it was not asked.
 */
export type Verdict = "passed" | "restricted" | "invalid" | "exhausted" | "unreachable" | "skipped";

/** A sealed key to be stored. */
export interface NewKey extends KeyRef, SealedKey, Attribution {
  /** The last four characters, or `null` for a key too short to show any. */
  readonly hint: string | null;
  /** What its provider said of it before it was stored. */
  readonly verdict: Verdict;
  /** The place that this change took when it was asked for; `null`: it takes one as it is stored. */
  readonly place: string | null;
}

/** A sealed key to be stored whose place was taken before. */
export interface PlacedKey extends NewKey {
  readonly place: string;
}

/** What a provider said of a stored key. Only an answer is noted: silence never speaks against a key. */
export interface NotedCheck extends KeyRef, Attribution {
  readonly secretId: string;
  readonly verdict: "passed" | "restricted" | "invalid";
}

/** What a provider said of a stored key as a call used it. */
export interface NotedUse extends KeyRef {
  readonly secretId: string;
  readonly verdict: "passed" | "invalid" | "exhausted";
}

/** What a change of a batch did. */
export interface StoredKey {
  /** The number of the change; the head when nothing was changed. */
  readonly seq: number;
  /** The secret that the organisation had for the provider before, now deleted; `null` when there was none. */
  readonly secretId: string | null;
}

/** What a change did. */
export interface StoreChange extends StoredKey {
  /** The organisation's keys of the `defaultKeyName` after the change: provider to secret id. */
  readonly references: Readonly<Record<string, string>>;
}
