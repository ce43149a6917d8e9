/** What the tests of a guard said without it. */
export interface Verdict {
  readonly failed: readonly string[];
  readonly passed: readonly string[];
  /** Errors that no test caught, which fail a run as well. */
  readonly unhandled: readonly string[];
  /** Errors of files that could not be loaded, which prove nothing. */
  readonly broken: readonly string[];
}
