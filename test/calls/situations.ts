import { expect } from "vitest";
import type { BuiltinProvider } from "../../src/providers/builtin.ts";
import type { FallbackPolicy } from "../../src/resolver/fallback-policy.ts";
import type { ResolverOptions } from "../../src/resolver/resolver-options.ts";
import { waitFor } from "../support/wait-for.ts";
import { type CallWorld, callWorld, keys, pollMs } from "./call-world.ts";
import { holdCall, type Outcome, type Script } from "./hold-call.ts";
import type { Call, Way } from "./way.ts";

/** What happens to a key while a call runs on it. */
export interface Situation {
  readonly options?: Partial<ResolverOptions<BuiltinProvider>>;
  happens(world: CallWorld): Promise<void> | void;
  /** Whether the store has something to tell to the worker. */
  readonly isStored: boolean;
  /** Whether the provider ends the sockets of the old key. */
  readonly hangsUp: boolean;
}

const accept = ({ doubles, way }: CallWorld): void => doubles.accept(way.provider, keys.new);
const remove = async ({ manager, way, orgId }: CallWorld): Promise<void> =>
  void (await manager.remove(orgId, { provider: way.provider }));

/** What is stored: a worker hears of it. */
const stored = (
  happens: Situation["happens"],
  options: Situation["options"] = {},
  hangsUp: boolean = false,
): Situation => ({ happens, options, isStored: true, hangsUp });

const revoke = ({ doubles, way }: CallWorld): void => doubles.revoke(way.provider, keys.old);
const exhaust = ({ doubles, way }: CallWorld): void => doubles.accept(way.provider, keys.old, { quotaExceeded: true });

/** What the provider alone knows. */
const refused = (happens: Situation["happens"], fallback: FallbackPolicy): Situation => ({
  happens,
  options: { fallback },
  isStored: false,
  hangsUp: true,
});

/** By the heads of the table's columns. */
export const situations = {
  "rotated softly": stored(async (world) => {
    accept(world);
    await world.store(keys.new);
  }),
  "rotated hard": stored(
    async (world) => {
      accept(world);
      revoke(world);
      await world.store(keys.new);
    },
    {},
    true,
  ),
  "moved to a region": stored((world) => world.store(keys.old, "eu")),
  'deleted, `absent: "platform"`': stored(remove),
  "the same, with `socketGraceMs`": stored(remove, { socketGraceMs: 60_000 }),
  'deleted, `absent: "fail"`': stored(remove, { fallback: { absent: "fail" } }),
  'refused, `rejected: "fail"`': refused(revoke, { rejected: "fail" }),
  'refused, `rejected: "platform"`': refused(revoke, { rejected: "platform" }),
  'exhausted, `exhausted: "fail"`': refused(exhaust, { exhausted: "fail" }),
  'exhausted, `exhausted: "platform"`': refused(exhaust, { exhausted: "platform" }),
} as const satisfies Record<string, Situation>;

/** When it happens: after turn 5, and the worker hears of it after turn 6; or all of it within turn 6. */
export type Moment = "between turns" | "within a turn";

/** Holds a call to whose key something happens. */
export async function holdCallDuring(
  way: Way,
  { options, happens, isStored, hangsUp }: Situation,
  moment: Moment,
): Promise<Outcome> {
  await using world = await callWorld(way, options);
  const hear = async ({ signal }: Call): Promise<void> => {
    if (!isStored) return;
    await world.clock.advance(pollMs);
    await waitFor(() => expect(signal.aborted).toBe(true));
  };
  const begin = async ({ hungUp }: Call): Promise<void> => {
    await happens(world);
    if (!hangsUp) return;
    world.hangUp(keys.old);
    await hungUp;
  };
  const within = async (call: Call): Promise<void> => {
    await happens(world);
    await hear(call);
  };
  const script: Script = moment === "between turns" ? { after: { 5: begin, 6: hear } } : { within: { 6: within } };
  return await holdCall(world, script);
}
