import { loadavg } from "node:os";
import { judgeGoal } from "./compare.ts";
import { fleet } from "./fleet.ts";
import { fromOneKey } from "./one-key.ts";
import { firstCall, importCost } from "./processes.ts";
import { requestCost } from "./request.ts";
import { fromMemory, fromPostgres, fromRedis, fromSqlite } from "./resolve.ts";

const rounded = (value: number): number => Number(value.toPrecision(3));

const imports = importCost();
console.log(
  `import "byokit": ${rounded(imports.addedMs)} ms over a bare Node of ${rounded(imports.bareMs)} ms (median of 15)`,
);

for (const call of [firstCall(true), firstCall(false)]) {
  const when = call.isReady ? `after ready() (${rounded(call.readyMs)} ms)` : "without ready()";
  const figures = `${rounded(call.resolveMs)} ms, event loop blocked for at most ${rounded(call.blockedMs)} ms`;
  console.log(`first resolve of a cold organisation ${when}: ${call.outcome}, ${figures} (median of 5 processes)`);
}

const { cpuUs, endToEnd, bySdk, noise } = await requestCost();
console.log(
  `a request through a slot: ${rounded(cpuUs)} µs of CPU; over loopback ${rounded(endToEnd.ratio)} times a bare fetch; by OpenAI's SDK ${rounded(bySdk.ratio)} times the SDK alone, which beside itself takes ${rounded(noise.ratio)} times (medians)`,
);

console.table(
  [await fromMemory(), await fromRedis(), await fromSqlite(), await fromPostgres(), await fromOneKey()].map((row) => ({
    what: row.what,
    µs: rounded(row.oursUs),
    bare: row.bare,
    "bare µs": rounded(row.bareUs),
    ratio: rounded(row.ratio),
    goal: judgeGoal(row),
  })),
);

console.log(
  `from the answer of a removal to its last use, in four workers of one process, 5 s each (load ${rounded(loadavg()[0] ?? 0)})`,
);
console.table(
  (await fleet()).map(({ situation, removals, p50Ms, p99Ms, pollsPerSecond }) => ({
    situation,
    removals,
    "p50 ms": rounded(p50Ms),
    "p99 ms": rounded(p99Ms),
    "polls a second": rounded(pollsPerSecond),
  })),
);
