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
  /** The test file that must fail then, below `test`. */
  readonly test: string;
  /** Narrows that file to the tests whose names match, where running all would take long. */
  readonly only?: string;
}

/** A room's guards, each as `[name, find, replace, only?]`. */
export function guardsOf(
  file: string,
  test: string,
  guards: readonly (readonly [name: string, find: string, replace: string, only?: string])[],
): Guard[] {
  return guards.map(([name, find, replace, only]) => ({
    name,
    file,
    find,
    replace,
    test,
    ...(only === undefined ? {} : { only }),
  }));
}
