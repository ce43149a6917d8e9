/** One guard of a promise, and the edit that takes it out of the source. */
export interface Guard {
  readonly name: string;
  /** Below `src`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** A second edit of that file, where either of two rules is enough. */
  readonly also?: { readonly find: string; readonly replace: string };
  /** Where the tests are that hold it, below `test`. */
  readonly test: string;
  /** A pattern of their names. Every test that it matches must fail when the guard is taken out, and it matches some. */
  readonly only: string;
}

/** Guards of one file that tests of one file hold, each as `[name, find, replace, only]`. */
export function guardsOf(
  file: string,
  test: string,
  guards: readonly (readonly [name: string, find: string, replace: string, only: string])[],
): Guard[] {
  return guards.map(([name, find, replace, only]) => ({ name, file, find, replace, test, only }));
}
