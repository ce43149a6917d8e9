import { ByokError, type ByokErrorCode, type ByokErrorDetails, isByokError } from "./errors.ts";

/** The most wrappings that are looked into. */
const maxDepth = 8;

/** Where libraries keep the error that theirs stands for. */
const places = ["cause", "error", "lastError", "reason"] as const;

/** A refusal of byokit's that travelled as an answer. */
interface Answered {
  readonly type: "byokit";
  readonly code: ByokErrorCode;
  readonly message: string;
  readonly details: ByokErrorDetails & { readonly retryable: boolean };
}

/**
 * The {@link ByokError} that an error is, or that an SDK or a framework has wrapped; `undefined` where there is none. So
 * whatever a client of a slot throws, and whatever Resend's answers as `error`, says whose fault it is and what to do.
 */
export function byokErrorOf(error: unknown): ByokError | undefined {
  return find(error, 0);
}

function find(value: unknown, depth: number): ByokError | undefined {
  if (typeof value !== "object" || value === null || depth > maxDepth) return undefined;
  if (isByokError(value)) return value;
  if (isAnswered(value)) return restore(value);
  for (const place of places) {
    const found = find(read(value, place), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function read(value: object, name: string): unknown {
  try {
    return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  } catch {
    return undefined;
  }
}

function isAnswered(value: object): value is Answered {
  return read(value, "type") === "byokit" && typeof read(value, "details") === "object";
}

function restore({ code, message, details: { retryable, ...details } }: Answered): ByokError {
  return new ByokError(code, message, retryable ? details : { ...details, retryable: false });
}
