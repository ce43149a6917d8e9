import { Session } from "node:inspector/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { defineProvider } from "../../src/providers/define-provider.ts";
import { openai } from "../../src/providers/openai.ts";
import { createResolver } from "../../src/resolver/create-resolver.ts";
import type { Resolver } from "../../src/resolver/resolver.ts";
import type { ResolverEvent } from "../../src/resolver/resolver-event.ts";
import { memoryStore } from "../../src/store/memory-store.ts";
import { idleCache } from "../support/idle-cache.ts";
import { type UnsteadyStore, unsteadyStore } from "../support/unsteady-store.ts";

const connected: string[] = [];
const own = defineProvider({
  id: "ada",
  name: "Ada",
  category: "llm",
  docsUrl: "https://ada.example",
  serves: ["stt"],
  endpoint: { baseUrl: "https://ada.example", websocketUrl: "wss://ada.example" },
  models: [],
  connect: (egress) => connected.push(String(egress.orgId)),
});

let store: UnsteadyStore;
let events: ResolverEvent[];
let asked: string[];
let resolver: Pick<Resolver, "ready" | "health" | "close">;

beforeEach(async () => {
  store = unsteadyStore(memoryStore());
  await store.migrate();
  events = [];
  asked = [];
  connected.length = 0;
  resolver = createResolver<typeof openai | typeof own>({
    store,
    keyring: createKeyring(generateKeyring()),
    providers: [openai, own],
    platformKeys: { openai: "platform-key-of-openai" },
    cache: idleCache({ get: async (orgId) => void asked.push(orgId) }),
    fallback: (failed) => {
      asked.push(failed.orgId);
      return "platform";
    },
    onEvent: (event) => events.push(event),
  });
});
afterEach(async () => await resolver.close());

/** How often each function of a file has run while `run` ran. */
async function countRuns(file: string, run: () => Promise<void>): Promise<Map<string, number>> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
    await run();
    const { result } = await session.post("Profiler.takePreciseCoverage");
    const functions = result.filter(({ url }) => url.endsWith(file)).flatMap((each) => each.functions);
    return new Map(functions.map(({ functionName, ranges }) => [functionName, ranges[0]?.count ?? 0]));
  } finally {
    session.disconnect();
  }
}

describe("what ready() rehearses", () => {
  it("is a call to its end, so that the first one runs no code for the first time", async () => {
    const runs = await countRuns("/resolver/slot-handle.ts", () => resolver.ready());
    expect(runs.get("get client")).toBeGreaterThan(0);
    expect(runs.get("get fetch")).toBeGreaterThan(0);
  });

  it("is played once", async () => {
    await resolver.ready();
    expect((await countRuns("/resolver/slot-handle.ts", () => resolver.ready())).get("get client") ?? 0).toBe(0);
  });

  it("reaches no store, no cache, no fallback, no memory and no event", async () => {
    await resolver.ready();
    expect(store.sent).toMatchObject({ snapshots: 0, puts: 0 });
    expect(asked).toEqual([]);
    expect(resolver.health().memory).toEqual({ organisations: 0, reads: 0 });
    expect(events.filter((event) => "orgId" in event)).toEqual([]);
  });

  it("runs no code of a provider of one's own", async () => {
    await resolver.ready();
    expect(connected).toEqual([]);
  });
});
