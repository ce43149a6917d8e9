import { ByokError, type ByokErrorDetails } from "../errors.ts";

/** The one error of a store: what happened, and the next step. Never the driver's own text, which may hold values. */
export function storeUnavailable(what: string, next: string, details: ByokErrorDetails = {}): ByokError {
  return new ByokError("store_unavailable", `The key store ${what}. ${next}`, details);
}

const withoutSchema = new WeakSet<object>();

export function noSchema(): ByokError {
  const next = "Call the store's migrate() once, or run byokit migrate, and check that it is the right database.";
  const error = storeUnavailable("has no schema, or an older byokit's", next);
  withoutSchema.add(error);
  return error;
}

/** Whether it is the error of a database that has not been migrated: a worker may wait for that, a command may not. */
export function isWithoutSchema(error: unknown): boolean {
  return typeof error === "object" && error !== null && withoutSchema.has(error);
}

const slow = new WeakSet<object>();

export function tooSlow(timeoutMs: number): ByokError {
  const error = storeUnavailable(
    `did not answer within ${timeoutMs} ms`,
    "Check the database and its load, then try again.",
  );
  slow.add(error);
  return error;
}

/** Whether it is the error of a call whose time was up. */
export function isTooSlow(error: unknown): boolean {
  return typeof error === "object" && error !== null && slow.has(error);
}

/** What a driver threw, reduced to its code. */
export function driverFailed(error: unknown): ByokError {
  return storeUnavailable(`failed (${readCode(error)})`, "Check the database's log, then try again.");
}

/** The code alone of what a driver threw: its text may hold values. */
export function readCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code).replace(/[^\w-]/gu, "") : "no code";
}
