import type { SeededRandom } from "../search/seeded-random.ts";
import { orgIdAt } from "./model-worker.ts";
import type { World } from "./world.ts";

/** Managers elsewhere, of which only the effects are seen: they commit at once, and most of their notices are lost. */
export function commitElsewhere(world: World, random: SeededRandom): void {
  commit(world, random, random.pick([1, 1, 2, 3, 8]));
}

/**
 * A database is lost in the middle of its work, and the backup that takes its place is older. Its last changes go with
 * it; who had read them was answered before, and hears of it later. Then work goes on.
 */
export function loseHistoryAmid(world: World, random: SeededRandom): void {
  const { database, network } = world;
  commit(world, random, random.pick([0, 1, 1, 2, 3]));
  for (const server of ["database", "database", "database", "log"] as const) {
    if (random.next() < 0.5) network.answerLate(server, Math.floor(random.next() * 10_000));
  }
  database.goBack(random.pick([0, 1, 1, 2, 3]), false);
  commit(world, random, random.pick([0, 1, 1, 2, 9]));
}

/** Changes of one organisation, or of whichever. */
function commit(world: World, random: SeededRandom, count: number): void {
  const { database, redis, shape } = world;
  const drawOrg = (): string => orgIdAt(Math.floor(random.next() * shape.organisations));
  const only = random.next() < 0.5 ? drawOrg() : undefined;
  for (let at = 0; at < count; at += 1) {
    const orgId = only ?? drawOrg();
    const { seq } = database.commit(orgId, random.next() < 0.2 ? null : world.nextKeyOf(orgId));
    if (random.next() < 0.3) world.noteChange(seq);
    if (random.next() < 0.3) redis.invalidate({ orgId, seq });
  }
  // As of a batch.
  if (count > 0 && random.next() < 0.5) redis.invalidate({ orgId: null, seq: database.head.seq });
}
