import type { DoubleId, OpenRefusal } from "./double.ts";

/** Which requests a fault is for. Requests whose key is refused are neither counted nor touched. */
export interface FaultScope {
  readonly provider: DoubleId;
  /** Of the path as it is asked for, `/v1/…`. @default every path */
  readonly path?: RegExp;
  /** The key, or the token, that a request has to show. @default any */
  readonly key?: string;
  /** How many requests, handshakes among them, go well before it. @default 0 */
  readonly after?: number;
  /** How many requests it is for; those after them go well. @default all */
  readonly times?: number;
}

/** Answers with a status, at a handshake as well. */
export interface StatusFault {
  readonly status: number;
  /** `retry-after` among them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. @default an error that names the status */
  readonly body?: unknown;
}

/** Answers what the provider answers a key of this kind. */
export interface RefusalFault {
  readonly refusal: "wrongKey" | "restricted" | "quotaExceeded" | "blocked";
}

/** Answers nothing, or begins an answer (or a handshake) and never ends it. */
export interface StallFault {
  readonly stall: "headers" | "body";
}

/** Begins an answer (or a handshake), and sends a byte of it every so many milliseconds without an end. */
export interface DripFault {
  readonly dripMs: number;
}

/**
 * Cuts the connection once a socket sent so many frames, or an answer so many pieces. Sockets that are open are cut as
 * well, unless `after` is given; they count from then.
 */
export interface CutFault {
  readonly cutAfter: number;
}

/** A refusal within a socket: the frame, once it sent `afterFrames`. Open sockets are told as well, unless `after` is given. */
export interface FrameFault {
  /** Sent as JSON. */
  readonly frame: unknown;
  /** @default 0 */
  readonly afterFrames?: number;
  /** Closes the socket with it. @default the socket stays open and goes on */
  readonly closeCode?: number;
  /** Said with the code. @default nothing */
  readonly closeReason?: string;
}

/**
 * A refusal within a socket, in the provider's own words: the event that it sends a key that is wrong or has no credit
 * left, and the code it closes with. Open sockets are told as well, unless `after` is given.
 */
export interface OpenRefusalFault {
  readonly openRefusal: OpenRefusal;
  /** Once the socket sent so many frames. @default 0 */
  readonly afterFrames?: number;
}

/** No failure: the answer is whole, with so many milliseconds between its pieces. Sockets are left alone. */
export interface PaceFault {
  readonly paceMs: number;
}

export type Fault = FaultScope &
  (StatusFault | RefusalFault | StallFault | DripFault | CutFault | FrameFault | OpenRefusalFault | PaceFault);

/** What happens to one request; one of these is there. */
export type Happening = Partial<
  StatusFault & RefusalFault & StallFault & DripFault & CutFault & FrameFault & OpenRefusalFault & PaceFault
>;

const kinds = ["status", "refusal", "stall", "dripMs", "cutAfter", "frame", "openRefusal", "paceMs"] as const;

export function checkFault(fault: Fault): void {
  const given = kinds.filter((kind) => kind in fault);
  if (given.length === 1) return;
  throw new TypeError(`A fault has one of ${kinds.join(", ")}; this one has ${given.join(" and ") || "none"}.`);
}
