import { ByokError } from "./errors.ts";
import { describeGiven, isPromise, type OptionKind, positiveWhole } from "./option-kinds.ts";

/** @throws ByokError `options_invalid` unless `value` is a positive whole number. */
export function positiveInteger(option: string, value: number): number {
  return assertOption(option, value, positiveWhole);
}

/** Returns `value` if it is of that kind. @throws ByokError `options_invalid` */
export function assertOption<T>(option: string, value: T, kind: OptionKind): T {
  if (kind.fits(value)) return value;
  const given = value === undefined ? "it is missing" : `it is ${describeGiven(value)}`;
  const next = isPromise(value) ? "Await it first." : "Correct the option.";
  throw new ByokError("options_invalid", `"${option}" must be ${kind.form}; ${given}. ${next}`);
}
