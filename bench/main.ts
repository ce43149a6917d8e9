/** Everything that `docs/figures.md` says of byokit itself; `-- --record` puts it there. */
import { comparedRow, judged, rounded } from "./compare.ts";
import { fleet } from "./fleet.ts";
import { longLogMs, longLogRows } from "./long-log.ts";
import { fromOneKey } from "./one-key.ts";
import { firstCall, importCost, importCostOfCompiled } from "./processes.ts";
import { recordFigures } from "./record.ts";
import { requestCosts } from "./request.ts";
import { fromMemory, fromPostgres, fromRedis, fromSqlite } from "./resolve.ts";

const compared = [
  ...(await fromMemory()),
  await fromRedis(),
  await fromSqlite(),
  await fromPostgres(),
  await fromOneKey(),
];
await recordFigures("resolve", compared.map(comparedRow));

const readyMs = await longLogMs();
await recordFigures("start", [
  ...[
    { how: "", cost: importCost(), goalMs: 12 },
    { how: ", with Node's compile cache", cost: importCostOfCompiled(), goalMs: undefined },
  ].map(({ how, cost, goalMs }) => ({
    what: `\`import "byokit"\`, beyond a bare Node${how}`,
    ms: rounded(cost.addedMs),
    "least disturbed ms": rounded(cost.leastMs),
    "bare Node ms": rounded(cost.bareMs),
    goal: goalMs === undefined ? "" : judged(cost.addedMs, goalMs, "ms"),
  })),
  ...[firstCall(true), firstCall(false)].map(({ isReady, readyMs, resolveMs, blockedMs, outcome }) => ({
    what: `a cold organisation's first call, ${isReady ? "after" : "without"} \`ready()\`: ${outcome}`,
    ms: rounded(resolveMs),
    ...(isReady ? { "`ready()` ms": rounded(readyMs) } : {}),
    "event loop blocked ms": rounded(blockedMs),
    goal: isReady ? judged(blockedMs, 5, "ms blocked") : "",
  })),
  {
    what: `a worker with Redis, after an hour at 75 changes a second: ${longLogRows.toLocaleString("en")} in the log`,
    "`ready()` ms": rounded(readyMs),
    goal: judged(readyMs, 1_000, "ms"),
  },
]);

await recordFigures("requests", await requestCosts());

await recordFigures(
  "revocation",
  (await fleet()).map(({ situation, removals, p50Ms, p99Ms, pollsPerSecond, goal = {} }) => ({
    situation,
    removals,
    "p50 ms": rounded(p50Ms),
    "p99 ms": rounded(p99Ms),
    "polls a second": rounded(pollsPerSecond),
    goal: [
      ...(goal.p99Ms === undefined ? [] : [judged(p99Ms, goal.p99Ms, "ms at p99")]),
      ...(goal.pollsPerSecond === undefined ? [] : [judged(pollsPerSecond, goal.pollsPerSecond, "polls a second")]),
    ].join(", "),
  })),
);
