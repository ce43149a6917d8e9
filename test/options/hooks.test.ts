import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHandler, serve } from "../../src/http/index.ts";
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "../../src/index.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { RedisFailures } from "../../src/shared-cache/redis-failures.ts";
import { PoolGate } from "../../src/store/postgres/pool-gate.ts";
import { caught } from "../support/caught.ts";
import { idleCache } from "../support/idle-cache.ts";
import { platformKeys, vendors } from "../support/worker.ts";

const fail = (): never => {
  throw new Error("The hook is broken.");
};
const nameOfThenables = "then";
const thenable = (then: PropertyDescriptor): object => Object.defineProperty({}, nameOfThenables, then);
/** Every way in which what a platform gave to be called may end badly. */
const endings: readonly (readonly [how: string, hook: () => unknown])[] = [
  ["throws", fail],
  [
    "throws undefined",
    () => {
      throw undefined;
    },
  ],
  ["rejects", async () => fail()],
  ["rejects with no error", () => Promise.reject("broken")],
  ["rejects later", () => new Promise((_, reject) => setImmediate(reject))],
  ["answers with a thenable that rejects", () => thenable({ value: (_: unknown, reject: () => void) => reject() })],
  ["answers with a thenable that throws", () => thenable({ value: fail })],
  ["answers with a getter that throws", () => thenable({ get: fail })],
];

const providers = vendors as readonly Provider[];
const keyring = createKeyring(generateKeyring("kek-1"));
const agent = { llm_config: { provider: "ada" } } as const;

/** What came to nobody, and would have ended the process. */
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
let others: NodeJS.UnhandledRejectionListener[];
beforeAll(() => {
  others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", note);
});
afterAll(() => {
  process.removeListener("unhandledRejection", note);
  for (const other of others) process.on("unhandledRejection", other);
});
beforeEach(() => void unhandled.splice(0));
/** After every promise has had its turn. */
const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns += 1) await turn();
};

/** A store with one key that this keyring does not open. */
async function storeWithForeignKey() {
  const store = memoryStore();
  await store.migrate();
  const other = createKeyring(generateKeyring("kek-9"));
  await createKeyManager({ store, keyring: other, providers }).set("org", { provider: "ada", apiKey: "own-ada" });
  return store;
}
const post = (handler: (request: Request) => Promise<Response>) => handler(new Request("http://x/byok"));

/** Every hook, with an answer that it must not change. */
const hooks: readonly (readonly [name: string, run: (hook: () => never) => Promise<unknown>, answer: unknown])[] = [
  [
    "onEvent of createResolver",
    async (onEvent) => {
      const store = await storeWithForeignKey();
      await using resolver = createResolver({ store, keyring, providers: vendors, platformKeys, onEvent });
      const failed = await caught(resolver.resolve("org", agent));
      return [failed.code, (await resolver.resolve("other", agent)).llm?.source];
    },
    ["keyring_outdated", "platform"],
  ],
  [
    "onEvent of createKeyManager",
    async (onEvent) => {
      const manager = createKeyManager({ store: await storeWithForeignKey(), keyring, providers, onEvent });
      return (await manager.describe("org")).map(({ status }) => status);
    },
    ["unchecked"],
  ],
  [
    "onEvent of postgresStore",
    async (onEvent) => {
      const pool = { connect: () => Promise.reject(new Error("no server")) };
      const gate = new PoolGate(pool, { timeoutMs: 100, onEvent });
      const connect = (): Promise<string> =>
        new Promise((done) => gate.connect((error) => done(error === undefined ? "connected" : "failed")));
      return await Promise.all(Array.from({ length: 7 }, connect));
    },
    Array(7).fill("failed"),
  ],
  [
    "onFailure of a cache's watch()",
    async (onFailure) => {
      const redis = { on: () => redis, off: () => redis };
      const failures = new RedisFailures(redis as never);
      failures.watch(onFailure);
      failures.note("read", new Error("gone"));
      return failures.standing.length;
    },
    1,
  ],
  [
    "onError of createHandler",
    async (onError) => {
      const manager = createKeyManager({ store: memoryStore(), keyring, providers });
      const authenticate = async () => ({ orgId: "org", canWrite: true });
      return (await post(createHandler({ manager, authenticate, onError }))).status;
    },
    503,
  ],
  [
    "authenticate",
    async (authenticate) => {
      const manager = createKeyManager({ store: await storeWithForeignKey(), keyring, providers });
      const errors: unknown[] = [];
      const { status } = await post(createHandler({ manager, authenticate, onError: (error) => errors.push(error) }));
      return [status, errors.length];
    },
    [503, 1],
  ],
  [
    "logger and ready of serve",
    async (hook) => {
      const manager = createKeyManager({ store: await storeWithForeignKey(), keyring, providers });
      const authenticate = async () => null;
      await using server = await serve({
        manager,
        authenticate,
        port: 0,
        ready: hook,
        logger: { info: hook, error: hook },
      });
      const statusOf = async (path: string): Promise<number> => (await fetch(`${server.url}${path}`)).status;
      return [await statusOf("/byok"), await statusOf("/readyz")];
    },
    [401, 503],
  ],
  [
    "a provider's check",
    async (check) => {
      const store = memoryStore();
      await store.migrate();
      const checked = providers.map((provider) => ({ ...provider, check }));
      const manager = createKeyManager({ store, keyring, providers: checked });
      return (await manager.set("org", { provider: "ada", apiKey: "own-ada" })).verdict;
    },
    "unreachable",
  ],
  [
    "a keyring's open()",
    async (open) => {
      const store = await storeWithForeignKey();
      const broken = { ...keyring, open };
      await using resolver = createResolver({
        store,
        keyring: broken,
        providers: vendors,
        platformKeys,
        fallback: { undecryptable: "platform" },
      });
      const failed = await caught(resolver.resolve("org", agent));
      const manager = createKeyManager({ store, keyring: broken, providers });
      return [failed.code, (await manager.describe("org")).map(({ status, unopened }) => [status, unopened])];
    },
    ["keyring_unavailable", [["unchecked", "keyring_unavailable"]]],
  ],
  [
    "what a shared cache has",
    async (get) => {
      const store = memoryStore();
      await store.migrate();
      const cache = idleCache({ get, set: get, invalidate: get });
      await createKeyManager({ store, keyring, providers, cache }).set("org", { provider: "ada", apiKey: "own-ada" });
      await using resolver = createResolver({ store, keyring, providers: vendors, cache });
      return (await resolver.resolve("org", agent)).llm?.source;
    },
    "byok",
  ],
  [
    "subscribe, watch, warnings and close of a cache",
    async (fails) => {
      const store = await storeWithForeignKey();
      const cache = idleCache({ subscribe: fails, watch: fails, warnings: fails });
      await using resolver = createResolver({ store, keyring, providers: vendors, platformKeys, cache });
      await resolver.ready();
      const closing = idleCache({ subscribe: () => ({ close: fails }), watch: () => ({ close: fails }) });
      const other = createResolver({ store, keyring, providers: vendors, platformKeys, cache: closing });
      await other.ready();
      await other.close();
      return [(await resolver.resolve("other", agent)).llm?.source, resolver.health().cache];
    },
    ["platform", "up"],
  ],
  [
    "a policy",
    async (fallback) => {
      await using resolver = createResolver({
        store: await storeWithForeignKey(),
        keyring,
        providers: vendors,
        platformKeys,
        fallback,
      });
      return [
        (await caught(resolver.resolve("org", agent))).code,
        (await caught(resolver.client("other", "ada"))).code,
      ];
    },
    ["options_invalid", "options_invalid"],
  ],
];

describe.each(hooks)("%s", (_name, run, answer) => {
  it.each(endings)("that %s ends no process, and changes no answer", async (_how, hook) => {
    const seen = await run(hook as () => never);
    await settled();
    expect(seen).toEqual(answer);
    expect(unhandled).toEqual([]);
  });
});

it("a policy that answers with no decision, now or later, never lands on the platform's key", async () => {
  const undecided = ["Platform", true, null, {}, () => "platform"];
  for (const answer of [...undecided, ...undecided.map((late) => Promise.resolve(late))]) {
    const store = await storeWithForeignKey();
    await using resolver = createResolver({
      store,
      keyring,
      providers: vendors,
      platformKeys,
      fallback: () => answer as "fail",
    });
    const failed = await caught(resolver.resolve("org", agent));
    expect([failed.code, failed.retryable]).toEqual(["options_invalid", false]);
    expect(failed.message).toContain("fallback");
  }
});

it("who answers undefined is nobody, as who answers null", async () => {
  const manager = createKeyManager({ store: await storeWithForeignKey(), keyring, providers });
  for (const nobody of [undefined, null]) {
    expect((await post(createHandler({ manager, authenticate: async () => nobody }))).status).toBe(401);
  }
});
