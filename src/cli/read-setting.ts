import { ByokError } from "../errors.ts";
import type { Environment } from "./environment.ts";
import { hasHiddenCharacter } from "./escape-text.ts";

type Mistake = readonly [isMade: (text: string) => boolean, what: string, next: string];

/** What env files, secret stores and templates do to a value on its way. */
const mistakes: readonly Mistake[] = [
  [
    (text) => text !== text.trim(),
    "begins or ends with a space or a line break",
    "Take it away; a secret that comes from a file often ends with one.",
  ],
  [(text) => /^["'`“”‘’«»]|["'`“”‘’«»]$/u.test(text), "has a quotation mark at its end", "Write it without quotes."],
  [hasHiddenCharacter, "holds a character that cannot be seen", "Type the value anew."],
  [(text) => /^(?:export\s+)?[A-Z][A-Z\d_]*\s*=/u.test(text), "begins with a name and =", "Give the value alone."],
  [
    (text) => /^\$\w+$|^<[^<>]*>$|^%\w+%$|\$\{\w+\}|\$\(\w+\)|\{\{.*\}\}/u.test(text),
    "holds a reference in place of a value",
    "Whatever should have replaced it did not; write the value itself.",
  ],
  [
    (text) => /^(?:undefined|null|nil|NaN|\[object Object\])$/iu.test(text),
    "holds the word that a program writes for nothing",
    "Set it to a value, or leave it out.",
  ],
];

/**
 * A variable as it was given; `undefined`: it is absent, or empty.
 *
 * @throws ByokError `options_invalid` that names the variable, and never repeats it, when its value was mangled.
 */
export function readSetting(env: Environment, name: keyof Environment): string | undefined {
  const text = env[name];
  if (!text) return undefined;
  const mistake = mistakes.find(([isMade]) => isMade(text));
  if (mistake === undefined) return text;
  throw new ByokError("options_invalid", `${name} ${mistake[1]}. ${mistake[2]}`);
}

/** What `read` finds wrong with a variable's value is said of the variable. */
export function naming<T>(name: keyof Environment, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ByokError)) throw error;
    throw new ByokError(error.code, `${name}: ${error.message}`, { retryable: error.retryable ? undefined : false });
  }
}
