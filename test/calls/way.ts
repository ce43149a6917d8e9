import type { BuiltinProvider } from "../../src/providers/builtin.ts";
import type { Resolver } from "../../src/resolver/resolver.ts";
import type { DoubleId } from "../../src/testing/provider-doubles/double.ts";

export type CallResolver = Resolver<BuiltinProvider>;

/** Runs once the first of an answer was heard. */
export type Midway = (() => Promise<void>) | undefined;

/** How a call asks: with a request a turn, by a socket a turn, or by one socket that it holds. */
export type WayKind = "request" | "socket" | "held socket";

/** A call that is under way. */
export interface Call {
  /** Of the slot that it began with. */
  readonly signal: AbortSignal;
  /** Asks, and resolves to what is heard. */
  turn(midway?: Midway): Promise<string>;
  /** Settles once the socket that it holds is closed. */
  readonly hungUp: Promise<void>;
  end(): void;
}

/** One of the ways in which a voice worker uses a vendor. */
export interface Way {
  readonly name: string;
  readonly provider: DoubleId;
  readonly kind: WayKind;
  /** Whether something can happen between the first and the last of an answer. */
  readonly hasMiddle: boolean;
  /** What the double answers each turn. */
  readonly answer: string;
  begin(resolver: CallResolver, orgId: string): Promise<Call>;
}

/** One of the voices that every account of ElevenLabs has. */
export const voice = "21m00Tcm4TlvDq8ikWAM";
