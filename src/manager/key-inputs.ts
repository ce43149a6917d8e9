import { abortSignal, anything, type OptionKind, text } from "../option-kinds.ts";
import { type OptionRules, readOptions } from "../read-options.ts";
import type { ChangedBy, KeyImport, KeyInput, KeyRemoval } from "./key-manager.ts";

const region: OptionKind = {
  form: "a region's name, or null",
  fits: (value) => value === null || typeof value === "string",
};

const byRules: OptionRules<ChangedBy> = { actor: anything };
const inputRules: OptionRules<KeyInput> = {
  provider: anything,
  apiKey: anything,
  region,
  actor: anything,
  signal: abortSignal,
  idempotencyKey: text,
};
const rowRules: OptionRules<KeyImport> = {
  orgId: anything,
  provider: anything,
  apiKey: anything,
  region,
  idempotencyKey: text,
};
const removalRules: OptionRules<KeyRemoval> = { provider: anything, actor: anything, signal: abortSignal };

/** @throws ByokError `options_invalid` */
export function readActor(caller: string, by: ChangedBy | undefined): string | null {
  return readOptions(caller, by, byRules).actor ?? null;
}

/** @throws ByokError `options_invalid` */
export function readInput(given: KeyInput): KeyInput {
  return readOptions("set()", given ?? null, inputRules);
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
export function readRow(given: KeyImport): KeyImport {
  return readOptions("setMany()", given ?? null, rowRules, "may pass");
}
