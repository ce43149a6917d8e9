import { expect, it } from "vitest";
import { SeededRandom } from "../search/seeded-random.ts";
import { idleCache } from "../support/idle-cache.ts";
import { agent, platform } from "../support/worker.ts";

const maxOrgs = 10;
/** Far more than a worker remembers, or has fences for. */
const orgIds = Array.from({ length: 6 * maxOrgs }, (_, at) => `org-${at}`);

/** A shared cache that brings an older entry back where `revived` has one. */
function keepingCache() {
  const entries = new Map<string, Uint8Array>();
  const revived = new Map<string, Uint8Array>();
  const cache = idleCache({
    get: async (orgId) => revived.get(orgId) ?? entries.get(orgId),
    set: async (orgId, entry) => void entries.set(orgId, entry),
    invalidate: async ({ orgId }) => void entries.delete(orgId ?? ""),
  });
  return { cache, entries, revived };
}

async function started() {
  const { manager, worker } = await platform();
  for (const orgId of orgIds) await manager.set(orgId, { provider: "ada", apiKey: `first-key-of-${orgId}` });
  const { cache, entries, revived } = keepingCache();
  const here = worker({ cache, maxOrgs });
  const keyOf = async (orgId: string): Promise<string> => {
    const { llm } = await here.resolver.resolve(orgId, agent);
    return llm.credential.key.reveal();
  };
  for (const orgId of orgIds) await keyOf(orgId);
  here.events.length = 0;
  const origins = (): string[] => here.events.flatMap((event) => (event.type === "snapshot_used" ? [event.from] : []));
  return { manager, here, keyOf, origins, entries, revived };
}

it("a worker of more organisations than it remembers is answered by the shared cache, while they change", async () => {
  const { manager, here, keyOf, origins } = await started();
  await using _worker = here;
  const random = new SeededRandom(1);
  const draw = (): string => random.pick(orgIds as [string]);
  const keys = new Map(orgIds.map((orgId) => [orgId, `first-key-of-${orgId}`]));
  for (let call = 0; call < 600; call += 1) {
    const orgId = draw();
    expect(await keyOf(orgId)).toBe(keys.get(orgId));
    if (call % 6 !== 0) continue;
    const changing = draw();
    keys.set(changing, `key-${call}-of-${changing}`);
    await manager.set(changing, { provider: "ada", apiKey: `key-${call}-of-${changing}` });
    await here.clock.advance(3_000);
  }
  const asked = origins().filter((from) => from !== "memory");
  expect(asked.filter((from) => from === "cache").length / asked.length).toBeGreaterThan(0.4);
});

it("an entry of the shared cache that is older than a change of its organisation is refused, and counted", async () => {
  const { manager, here, keyOf, origins, entries, revived } = await started();
  await using _worker = here;
  revived.set("org-1", entries.get("org-1") ?? new Uint8Array());
  await manager.set("org-1", { provider: "ada", apiKey: "second-key" });
  await here.clock.advance(3_000);
  here.events.length = 0;
  expect(await keyOf("org-1")).toBe("second-key");
  expect(here.events).toContainEqual({ type: "entry_refused", orgId: "org-1", reason: "outdated" });
  expect(origins()).toEqual(["store"]);
});
