/** byokit beside the common cache libraries: one hit from memory, and removals while something else is under way. */
import { compare, judgeGoal, rounded } from "../../compare.ts";
import { recordFigures } from "../../record.ts";
import { race } from "../race.ts";
import { versionsOf } from "../versions-of.ts";
import { orgIds, takingTurns, threeSlots, workerInMemory } from "../worker-in-memory.ts";
import { libraries } from "./libraries.ts";
import { libraryContestants } from "./race-libraries.ts";

// A command that a busy machine is too slow for may fail where a library has nothing waiting for it.
process.on("unhandledRejection", (reason) => console.error("A library left a failure unhandled:", reason));
const versions = versionsOf(import.meta.dirname);
const resolver = await workerInMemory();
const hits = [];
for (const { name, get } of libraries()) {
  for (const orgId of orgIds) await get(orgId, async () => "key");
  const [next, other] = [takingTurns(), takingTurns()];
  hits.push(
    await compare({
      what: "three slots of an agent",
      bare: name,
      ours: () => resolver.resolve(next(), threeSlots),
      theirs: () => get(other(), async () => "key"),
      ...(name === "bentocache" ? { goal: { ratio: 0.33 } } : {}),
    }),
  );
}
await resolver.close();
const rows = hits.map((compared) => ({
  library: compared.bare,
  "byokit, three slots µs": rounded(compared.oursUs),
  "byokit, least disturbed µs": rounded(compared.least.oursUs),
  "library, one value µs": rounded(compared.bareUs),
  "library, least disturbed µs": rounded(compared.least.bareUs),
  ratio: rounded(compared.ratio),
  goal: judgeGoal(compared),
}));
await recordFigures("comparison-hits", rows, versions);
await recordFigures("comparison-races", await race(libraryContestants), versions);
// The libraries leave connections behind.
process.exit();
