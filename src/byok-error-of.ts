import { ByokError, type ByokErrorCode, type ByokErrorDetails, isByokError } from "./errors.ts";
import { nodeCrypto } from "./node-crypto.ts";

/** The most wrappings that are looked into. */
const maxDepth = 8;

/** Where libraries keep the error that theirs stands for. */
const places = ["cause", "error", "body", "responseBody", "lastError", "reason"] as const;

let mark: string | undefined;

/** Known to this process alone: no provider's answer passes for a refusal of byokit's. */
function getMark(): string {
  mark ??= nodeCrypto().randomUUID();
  return mark;
}

/** A refusal of byokit's that travels as an answer. */
interface Answered {
  readonly type: string;
  readonly code: ByokErrorCode;
  readonly message: string;
  readonly details: Pick<ByokErrorDetails, "orgId" | "provider" | "slot" | "reason"> & { readonly retryable: boolean };
}

/** A {@link ByokError} as JSON, which {@link byokErrorOf} reads back in this process. */
export function answeredOf({ code, message, orgId, provider, slot, reason, retryable }: ByokError): Answered {
  return { type: `byokit ${getMark()}`, code, message, details: { orgId, provider, slot, reason, retryable } };
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
    const found = find(parse(read(value, place)), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function read(value: object, name: string): unknown {
  try {
    // An event of a socket's has its error from its class.
    const isEvents = name === "error" && !Object.hasOwn(Object.prototype, name) && name in value;
    return isEvents || Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  } catch {
    return undefined;
  }
}

/** An answer that a framework keeps as its text. */
function parse(value: unknown): unknown {
  if (typeof value !== "string" || !value.includes(getMark())) return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function isAnswered(value: object): value is Answered {
  return read(value, "type") === `byokit ${getMark()}` && typeof read(value, "details") === "object";
}

function restore({ code, message, details: { retryable, ...details } }: Answered): ByokError {
  return new ByokError(code, message, retryable ? details : { ...details, retryable: false });
}
