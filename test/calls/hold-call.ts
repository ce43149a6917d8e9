import { expect } from "vitest";
import { byokErrorOf } from "../../src/byok-error-of.ts";
import { waitFor } from "../support/wait-for.ts";
import { type CallWorld, pollMs } from "./call-world.ts";
import type { Call } from "./way.ts";

export const turns = 10;

/** What became of a call. */
export interface Outcome {
  /** The turns that were not heard whole, with the code of byokit's error, or what the vendor's client said. */
  readonly failed: Readonly<Record<number, string>>;
  /** What the provider saw, in its order: `["old ×6", "new ×4"]`. */
  readonly requests: readonly string[];
  /** What the worker was told of, beside requests and where keys were found: each kind once, in its order. */
  readonly events: readonly string[];
  /** Why the signal of the slot was fired. */
  readonly signal: string | null;
}

type Step = (call: Call) => Promise<void>;

/** What happens between the turns of a call, by the turn before it, and within them. */
export interface Script {
  readonly after?: Readonly<Record<number, Step>>;
  readonly within?: Readonly<Record<number, Step>>;
}

/** Holds a call of ten turns, and tells what became of it. No timer is left of it, nor of the resolver. */
export async function holdCall(world: CallWorld, { after = {}, within = {} }: Script): Promise<Outcome> {
  const call = await world.way.begin(world.resolver, world.orgId);
  const failed: Record<number, string> = {};
  for (let turn = 1; turn <= turns; turn += 1) {
    const step = within[turn];
    try {
      const heard = await call.turn(step && (() => step(call)));
      if (heard !== world.way.answer) failed[turn] = `heard: ${heard}`;
    } catch (error) {
      failed[turn] = byokErrorOf(error)?.code ?? String(error);
    }
    await after[turn]?.(call);
  }
  const signal = (call.signal.reason as { readonly code?: string } | undefined)?.code ?? null;
  call.end();
  await call.hungUp;
  await world.resolver.close();
  // What a slot looks at once more looks for the last time, and a poll that is under way ends by itself.
  await world.clock.advance(pollMs);
  await waitFor(() => expect(world.clock.pendingTimers).toBe(0));
  const told = world.events.map((event) =>
    event.type === "source_changed" ? `source_changed: ${event.source}` : event.type,
  );
  return {
    failed,
    requests: shorten(world.requests()),
    events: [...new Set(told.filter((type) => !/^(?:request|snapshot_)/u.test(type)))],
    signal,
  };
}

function shorten(names: readonly string[]): string[] {
  const runs: { readonly name: string; count: number }[] = [];
  for (const name of names) {
    const last = runs.at(-1);
    if (last?.name === name) last.count += 1;
    else runs.push({ name, count: 1 });
  }
  return runs.map(({ name, count }) => `${name} ×${count}`);
}
