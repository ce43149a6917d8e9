import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { nowMs } from "./calls.ts";
import { type Deployment, leaseMs, orgIds } from "./deployment.ts";
import type { Fault } from "./faults.ts";

/** Organisations whose keys only the primary that dies knows, and that nobody changes afterwards. */
const losing = ["lost-0", "lost-1", "lost-2", "lost-3"] as const;
const [askedByOld, askedByNew] = [losing.slice(0, 2), losing.slice(2)];

/** For a primary with an asynchronous standby. It happens once: the standby is the primary afterwards. */
export const promotion: Fault = {
  name: "Postgres: the primary lost, its standby promoted without the last changes",
  mayFail: true,
  async happen(deployment) {
    const { truth, workers, postgres } = deployment;
    const { standby, primary } = postgres;
    if (standby === undefined) throw new Error("There is no standby.");
    standby.cutOff();
    const cutOffAtMs = nowMs();
    for (const orgId of losing) await truth.set(orgId);
    for (const worker of workers) worker.call([...orgIds, ...losing]);
    await areShared(deployment, losing);
    for (const worker of workers) worker.call([...orgIds, ...askedByOld]);
    await pause(500);
    primary.signal("SIGKILL");
    standby.lead("nowhere");
    const diedAtMs = nowMs();
    await truth.failOver(async () => {
      await standby.promote();
      const head = await headOf(standby.server.url);
      standby.lead("here");
      return { head, cutOffAtMs, diedAtMs };
    });
    await deployment.join([...orgIds, ...askedByNew]);
    await pause(leaseMs + 1_000);
  },
};

async function areShared({ isShared }: Deployment, some: readonly string[]): Promise<void> {
  const endsAt = nowMs() + 5_000;
  for (;;) {
    const shared = await Promise.all(some.map(isShared));
    if (shared.every(Boolean)) return;
    if (nowMs() > endsAt) throw new Error("Redis does not have the organisations that were called.");
    await pause(10);
  }
}

async function headOf(url: string): Promise<number> {
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  const { rows } = await session.query("SELECT seq FROM byok_clock");
  await session.end();
  return Number((rows as { seq: string }[])[0]?.seq);
}
