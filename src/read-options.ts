import { ByokError } from "./errors.ts";
import { describeGiven, isPromise, type OptionKind } from "./option-kinds.ts";
import { assertOption } from "./options.ts";
import { isRecord, ownProperty } from "./own-property.ts";

/** An option's rule; absent: it may be left out. */
export interface OptionRule extends OptionKind {
  readonly isRequired?: true;
}

/** A rule for every option that there is. */
export type OptionRules<T> = { readonly [K in keyof T]-?: OptionRule };

export function required(kind: OptionKind): OptionRule {
  return { ...kind, isRequired: true };
}

/**
 * The options that `caller` was given: a copy that inherits nothing, of what was given itself. What is spelt out
 * as `undefined` was left out.
 *
 * @param strangers Names that the function does not know are refused, or only those that are a known one misspelt.
 * @throws ByokError `options_invalid`
 */
export function readOptions<T extends object>(
  caller: string,
  given: T | undefined,
  rules: OptionRules<T>,
  strangers: "refused" | "may pass" = "refused",
): T {
  const names = Object.keys(rules) as (keyof T & string)[];
  const isNeeded = (name: keyof T): boolean => ownProperty(rules[name], "isRequired") === true;
  if (!isRecord(given) || isPromise(given)) {
    const needed = names.filter(isNeeded);
    if (given === undefined && needed.length === 0) return Object.create(null);
    throw noOptions(caller, given, needed.length === 0 ? names : needed);
  }
  assertNames(caller, given, names, strangers);
  const options: T = Object.create(null);
  for (const name of names) {
    const value = ownProperty(given as T, name);
    if (value !== undefined) options[name] = assertOption(name, value, rules[name]);
    else if (isNeeded(name)) throw missing(caller, name, rules[name]);
  }
  return options;
}

function assertNames(caller: string, given: object, names: readonly string[], strangers: "refused" | "may pass"): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || names.includes(name)) continue;
    const meant = names.find((known) => isNear(name, known));
    if (meant === undefined && strangers === "may pass") continue;
    // A name of another form may be a value that stands in the wrong place.
    const shown = /^[a-z]\w{0,39}$/iu.test(name) ? `"${name}"` : "One of the names";
    const next = meant === undefined ? `It takes: ${names.join(", ")}.` : `Did you mean "${meant}"?`;
    throw new ByokError("options_invalid", `${shown} is no option of ${caller}. ${next}`);
  }
}

function noOptions(caller: string, given: unknown, needed: readonly string[]): ByokError {
  const what = needed.map((name) => `"${name}"`).join(" and ");
  const saw = given === undefined || given === null ? "nothing" : describeGiven(given);
  const next = isPromise(given) ? "Await it first." : "Pass one.";
  return new ByokError("options_invalid", `${caller} takes an object with ${what}, and was given ${saw}. ${next}`);
}

function missing(caller: string, name: string, { form }: OptionKind): ByokError {
  return new ByokError("options_invalid", `"${name}" of ${caller} is missing. Pass ${form}.`);
}

/** Whether a name is a known one in other letters, or with at most two letters wrong. */
function isNear(name: string, known: string): boolean {
  const [one, other] = [plain(name), plain(known)];
  if (one === other) return true;
  return Math.min(one.length, other.length) >= 4 && one.length <= 40 && countEdits(one, other) <= 2;
}

function plain(name: string): string {
  return name.replaceAll(/[_-]/gu, "").toLowerCase();
}

/** Letters to insert, to delete and to replace. */
function countEdits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (const [index, wanted] of [...other].entries()) {
      const replaced = (row[index] ?? 0) + (letter === wanted ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
