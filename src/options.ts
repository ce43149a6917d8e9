import { ByokError } from "./errors.ts";

/** @throws ByokError `options_invalid` unless `value` is a positive finite number of milliseconds. */
export function positiveMs(option: string, value: number): number {
  if (Number.isFinite(value) && value > 0 && value <= maxTimerMs) return value;
  throw new ByokError("options_invalid", `"${option}" must be a positive number of milliseconds. Correct the option.`);
}

/** @throws ByokError `options_invalid` unless `value` is a number of milliseconds that is not negative. */
export function nonNegativeMs(option: string, value: number): number {
  return value === 0 ? value : positiveMs(option, value);
}

/** @throws ByokError `options_invalid` unless `value` is a positive whole number. */
export function positiveInteger(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new ByokError("options_invalid", `"${option}" must be a positive whole number. Correct the option.`);
}

/** Node fires a timer at once when its delay is longer than this (https://nodejs.org/api/timers.html). */
const maxTimerMs = 2_147_483_647;

/** @throws ByokError `options_invalid` unless `value` is a whole number that is not negative. */
export function nonNegativeInteger(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new ByokError("options_invalid", `"${option}" must be a whole number, 0 or more. Correct the option.`);
}
