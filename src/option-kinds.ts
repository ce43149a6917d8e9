/** What an option takes. */
export interface OptionKind {
  /** Ends the sentence "must be …" with the right form. */
  readonly form: string;
  fits(value: unknown): boolean;
}

/** Node fires a timer at once when its delay is longer than this (https://nodejs.org/api/timers.html). */
const maxTimerMs = 2_147_483_647;

export const positiveMilliseconds: OptionKind = {
  form: "a positive number of milliseconds",
  fits: (value) => Number.isFinite(value) && Number(value) > 0 && Number(value) <= maxTimerMs,
};

export const milliseconds: OptionKind = {
  form: positiveMilliseconds.form,
  fits: (value) => value === 0 || positiveMilliseconds.fits(value),
};

export const positiveWhole: OptionKind = {
  form: "a positive whole number",
  fits: (value) => Number.isSafeInteger(value) && Number(value) > 0,
};

export const whole: OptionKind = {
  form: "a whole number, 0 or more",
  fits: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};

export const text: OptionKind = { form: "a text", fits: (value) => typeof value === "string" };

export const trueOrFalse: OptionKind = { form: "true or false", fits: (value) => typeof value === "boolean" };

export const callback: OptionKind = { form: "a function", fits: (value) => typeof value === "function" };

export const list: OptionKind = { form: "a list", fits: Array.isArray };

/** What is checked where it is used. */
export const anything: OptionKind = { form: "anything", fits: () => true };

/** An object with names of the caller's, such as providers' ids. */
export function recordOf(form: string): OptionKind {
  return { form, fits: (value) => isObject(value) && !Array.isArray(value) && !isPromise(value) };
}

export const abortSignal: OptionKind = withMethods("an AbortSignal", ["throwIfAborted", "addEventListener"]);

export function oneOf(...words: readonly string[]): OptionKind {
  return {
    form: words.map((word) => `"${word}"`).join(" or "),
    fits: (value) => words.some((word) => word === value),
  };
}

/** An object, or one of a class, that can do all of this. */
export function withMethods(form: string, methods: readonly string[]): OptionKind {
  return {
    form,
    fits: (value) =>
      isObject(value) &&
      methods.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === "function"),
  };
}

/** What was given instead, in words: never what it holds. */
export function describeGiven(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (Array.isArray(value)) return "a list";
  if (isPromise(value)) return "a promise";
  if (typeof value === "string") return "a text";
  if (typeof value === "function") return "a function";
  return isObject(value) ? describeObject(value) : `a ${typeof value}`;
}

export function isPromise(value: unknown): boolean {
  return isObject(value) && typeof (value as { readonly then?: unknown }).then === "function";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The name of its class says what was mixed up. */
function describeObject(value: object): string {
  const { name } = (value.constructor as { readonly name?: unknown } | undefined) ?? {};
  const isOwnClass = typeof name === "string" && name !== "Object" && /^\w{1,40}$/u.test(name);
  return isOwnClass ? `an object of the class ${name}` : "an object that is none";
}
