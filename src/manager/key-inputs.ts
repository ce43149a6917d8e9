import { isNamedAccount, type KeyAccount, type NamedAccount, toKeyAccount } from "../key-account.ts";
import { abortSignal, anything, type OptionKind, text } from "../option-kinds.ts";
import { type OptionRules, readOptions } from "../read-options.ts";
import type { ChangedBy, KeyImport, KeyInput, KeyRemoval } from "./key-manager.ts";

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
