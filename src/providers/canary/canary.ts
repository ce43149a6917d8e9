import type { Egress } from "../egress/egress.ts";

/** How the listener answers a step's requests. */
export interface CanaryAnswer {
  readonly type: string;
  readonly body: string;
}

/** What a step is given beside its client. */
export interface CanaryContext {
  readonly egress: Egress;
  readonly loaded: unknown;
  /** Aborted when the canary ends. */
  readonly signal: AbortSignal;
}

/**
 * One thing that a client does. What it makes of the answer says nothing; that its request arrived as it should does.
 */
export interface CanaryStep<C = unknown> {
  /** What it sends, as an error names it: `an upload`. */
  readonly sends: string;
  /** How many requests or handshakes are to arrive. @default 1 */
  readonly arrivals?: number;
  /** @default JSON: an object with nothing in it */
  readonly answer?: CanaryAnswer;
  /** Whether it opens sockets by `egress.WebSocket`, which takes the package `ws`. @default false */
  readonly needsWs?: boolean;
  run(client: C, context: CanaryContext): Promise<unknown>;
}

/** How an SDK is proven: its client does every step once, against a listener of byokit's own. */
export interface Canary<C = unknown> {
  /** The SDK's package. */
  readonly sdk: string;
  /** Its versions that are tested, as a peer's range: `>=6.0.0 <8`. */
  readonly versions: string;
  readonly steps: readonly CanaryStep<C>[];
}

/** A server's whole answer to a stream of events. */
export function events(...all: readonly object[]): CanaryAnswer {
  const body = all.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("");
  return { type: "text/event-stream", body: `${body}data: [DONE]\n\n` };
}

/** Ends with the first of `events` that `target` emits. */
export async function once(
  target: { on(event: never, listener: () => void): unknown },
  ...names: readonly string[]
): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const name of names) target.on(name as never, () => resolve());
  });
}
