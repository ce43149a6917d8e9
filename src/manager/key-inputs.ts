import { isNamedAccount, type KeyAccount, type NamedAccount, toKeyAccount } from "../key-account.ts";
import { abortSignal, anything, type OptionKind, text } from "../option-kinds.ts";
import { type OptionRules, readOptions } from "../read-options.ts";

export interface KeyInput {
  readonly provider: string;
  readonly apiKey: string;
  /**
   * One of the provider's regions: the key is then sent to that region's host only. `null`: to the default host. Absent: the
   * region of the key that it replaces, so that a rotation moves no traffic.
   */
  readonly region?: string | null | undefined;
  /**
   * The account that the key is used for, if it can be used for several: each request names it beside the key. `null`: the
   * provider's default. Absent: the account of the key that it replaces.
   */
  readonly account?: NamedAccount | null | undefined;
  /** Who does it, for the record. */
  readonly actor?: string | undefined;
  /** If it is aborted before the key is being stored, nothing is stored, and the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** A call that is repeated with the same text is the same change: it happens once, and succeeds each time. */
  readonly idempotencyKey?: string | undefined;
}

/** Who makes a change, for the record. */
export interface ChangedBy {
  readonly actor?: string | undefined;
}

/** A row of an import. */
export interface KeyImport {
  readonly orgId: string;
  readonly provider: string;
  readonly apiKey: string;
  /** As in {@link KeyInput}. */
  readonly region?: string | null | undefined;
  /** As in {@link KeyInput}. */
  readonly account?: NamedAccount | null | undefined;
  /** As in {@link KeyInput}. */
  readonly idempotencyKey?: string | undefined;
}

/** Which key to remove. */
export interface KeyRemoval {
  readonly provider: string;
  /** Who does it, for the record. */
  readonly actor?: string | undefined;
  /** As in {@link KeyInput}. */
  readonly signal?: AbortSignal | undefined;
}

/** What was given, with the account as it is stored. */
export type Read<T> = Omit<T, "account"> & { readonly account: KeyAccount | null | undefined };

const region: OptionKind = {
  form: "a region's name, or null",
  fits: (value) => value === null || typeof value === "string",
};

const account: OptionKind = {
  form: "null, or an object with an organization, a project or both, as ids of 1 to 128 visible ASCII characters",
  fits: (value) => value === null || isNamedAccount(value),
};

const byRules: OptionRules<ChangedBy> = { actor: anything };
const inputRules: OptionRules<KeyInput> = {
  provider: anything,
  apiKey: anything,
  region,
  account,
  actor: anything,
  signal: abortSignal,
  idempotencyKey: text,
};
const rowRules: OptionRules<KeyImport> = {
  orgId: anything,
  provider: anything,
  apiKey: anything,
  region,
  account,
  idempotencyKey: text,
};
const removalRules: OptionRules<KeyRemoval> = { provider: anything, actor: anything, signal: abortSignal };

/** @throws ByokError `options_invalid` */
export function readActor(caller: string, by: ChangedBy | undefined): string | null {
  return readOptions(caller, by, byRules).actor ?? null;
}

/** @throws ByokError `options_invalid` */
export function readInput(given: KeyInput): Read<KeyInput> {
  return copyAccount(readOptions("set()", given ?? null, inputRules));
}

/** @throws ByokError `options_invalid` */
export function readRemoval(given: KeyRemoval): KeyRemoval {
  return readOptions("remove()", given ?? null, removalRules);
}

/**
 * A row of an import, which may have columns of the caller's own: a name is refused only where a known one is meant.
 *
 * @throws ByokError `options_invalid`
 */
export function readRow(given: KeyImport): Read<KeyImport> {
  return copyAccount(readOptions("setMany()", given ?? null, rowRules, "may pass"));
}

/** What a caller changes of the account later changes nothing of the key. */
function copyAccount<T extends { readonly account?: NamedAccount | null | undefined }>(read: T): Read<T> {
  return Object.assign(read, { account: read.account && toKeyAccount(read.account) });
}
