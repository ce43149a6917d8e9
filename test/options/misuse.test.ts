import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { createHandler, type HandlerOptions, type ServeOptions, serve } from "../../src/http/index.ts";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  defineProvider,
  generateKeyring,
  type KeyManagerOptions,
  memoryStore,
  openai,
  type Provider,
  type ResolverOptions,
} from "../../src/index.ts";
import { type RedisCacheOptions, redisCache } from "../../src/shared-cache/redis-cache.ts";
import { type PostgresStoreOptions, postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { type SqliteStoreOptions, sqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { caught } from "../support/caught.ts";
import { idleCache } from "../support/idle-cache.ts";

const json = generateKeyring();
const keyring = createKeyring(json);
const store = memoryStore();
const manager = createKeyManager({ store, keyring, verify: "off" });
const pool = new pg.Pool();
const authenticate = async () => null;

/** Every function that takes options, with options that are right. */
const functions = {
  createResolver: [(options) => createResolver(options as unknown as ResolverOptions), { store, keyring }],
  createKeyManager: [(options) => createKeyManager(options as unknown as KeyManagerOptions), { store, keyring }],
  createHandler: [(options) => createHandler(options as unknown as HandlerOptions), { manager, authenticate }],
  serve: [(options) => serve(options as unknown as ServeOptions), { manager, authenticate, port: 0 }],
  sqliteStore: [(options) => sqliteStore(options as unknown as SqliteStoreOptions), { path: "never-opened.sqlite" }],
  postgresStore: [(options) => postgresStore(options as unknown as PostgresStoreOptions), { pool }],
  redisCache: [
    (options) => redisCache(options as unknown as RedisCacheOptions),
    { redis: new Redis({ lazyConnect: true }) },
  ],
  defineProvider: [(options) => defineProvider(options as unknown as Provider), openai],
} satisfies Record<string, readonly [create: (options: Given) => unknown, right: object]>;

type Name = keyof typeof functions;
type Given = Readonly<Record<string, unknown>> | null | undefined;
const names = Object.keys(functions) as Name[];

async function refusal(name: Name, given: unknown): Promise<string> {
  const [create] = functions[name];
  const error = await caught((async () => await create(given as Given))());
  expect(error.code).toBe("options_invalid");
  return error.message;
}
const refusalWith = (name: Name, more: object): Promise<string> => refusal(name, { ...functions[name][1], ...more });

/** What people pass by mistake, the option, and the right form that the message has to name. */
const mistakes: readonly (readonly [what: string, name: Name, more: object, says: string])[] = [
  ["the JSON of a keyring", "createResolver", { keyring: json }, "createKeyring(json)"],
  ["the text of a keyring", "createResolver", { keyring: JSON.stringify(json) }, "createKeyring(json)"],
  ["the JSON of a keyring", "createKeyManager", { keyring: json }, "createKeyring(json)"],
  ["no keyring", "createResolver", { keyring: undefined }, "createKeyring(json)"],
  ["no keyring", "createKeyManager", { keyring: undefined }, "createKeyring(json)"],
  ["no store", "createResolver", { store: undefined }, "postgresStore({ pool })"],
  ["no store", "createKeyManager", { store: undefined }, "sqliteStore({ path })"],
  ["a URL for a store", "createResolver", { store: "postgres://db.example" }, "postgresStore({ pool })"],
  ["a pool for a store", "createKeyManager", { store: pool }, "postgresStore({ pool })"],
  ["a store that was not awaited", "createResolver", { store: Promise.resolve(store) }, "Await it first"],
  ["a keyring that was not awaited", "createKeyManager", { keyring: Promise.resolve(keyring) }, "Await it first"],
  ["a URL for a cache", "createResolver", { cache: "redis://cache.example" }, "redisCache({ redis })"],
  ["a client for a cache", "createKeyManager", { cache: new Redis({ lazyConnect: true }) }, "redisCache({ redis })"],
  ["an unknown failure", "createResolver", { fallback: { absnt: "fail" } }, '"absent"'],
  ["an unknown decision", "createResolver", { fallback: { absent: "yes" } }, '"platform" or "fail"'],
  ["a word for a policy", "createResolver", { fallback: "platform" }, "a decision per failure"],
  ["a key for keys", "createResolver", { platformKeys: "key-of-the-platform" }, "keys by provider"],
  ["a host for hosts", "createResolver", { endpoints: "https://proxy.example" }, "hosts by provider"],
  ["a misspelt host", "createResolver", { endpoints: { openai: { baseURL: "https://p.example" } } }, '"baseUrl"'],
  ["one provider for a list", "createResolver", { providers: openai }, "a list"],
  ["a name for a provider", "createKeyManager", { providers: ["openai"] }, "defineProvider()"],
  ["no pool", "postgresStore", { pool: undefined }, "new pg.Pool("],
  ["a URL for a pool", "postgresStore", { pool: "postgres://db.example" }, "new pg.Pool("],
  ["a client for a pool", "postgresStore", { pool: new pg.Client() }, "new pg.Pool("],
  ["postgres.js for a pool", "postgresStore", { pool: Object.assign(() => {}, { begin() {} }) }, "new pg.Pool("],
  ["Redis for a pool", "postgresStore", { pool: new Redis({ lazyConnect: true }) }, "new pg.Pool("],
  ["a URL for Redis", "redisCache", { redis: "redis://cache.example" }, "new Redis(url)"],
  ["node-redis", "redisCache", { redis: { options: {}, duplicate() {}, connect() {}, on() {} } }, "new Redis(url)"],
  ["a pool for Redis", "redisCache", { redis: pool }, "new Redis(url)"],
  ["a URL for a path", "sqliteStore", { path: "postgres://db.example/app" }, "the path of a file"],
  ["memory for a path", "sqliteStore", { path: ":memory:" }, "memoryStore()"],
  ["nobody who says whose it is", "createHandler", { authenticate: undefined }, "bearerTokens(tokens)"],
  ["tokens for who says it", "serve", { authenticate: [] }, "bearerTokens(tokens)"],
  ["a store for a manager", "createHandler", { manager: store }, "createKeyManager("],
  ["a port that is none", "serve", { port: "8787" }, "0 to 65535"],
  ["a check for a policy", "createKeyManager", { verify: false }, '"reject-invalid" or "off"'],
];

describe("a mistake in an option is said where it is made:", () => {
  it.each(mistakes)("%s given to %s (%#)", async (_what, name, more, says) => {
    expect(await refusalWith(name, more)).toContain(says);
  });

  it.each(names)("%s() without options, or with something else than options", async (name) => {
    for (const given of [undefined, null, "text", 5, [], Promise.resolve({}), () => {}]) {
      expect(await refusal(name, given)).toContain(`${name}() takes an object`);
    }
  });

  it.each(names)("a misspelt option of %s()", async (name) => {
    const known = Object.keys(functions[name][1]).find(({ length }) => length >= 4) ?? "";
    expect(await refusalWith(name, { [`${known.toUpperCase()}s`]: 1 })).toContain(`Did you mean "${known}"?`);
  });

  it.each(names.filter((name) => name !== "defineProvider"))("an option of %s() that there is not", async (name) => {
    expect(await refusalWith(name, { somethingElse: 1 })).toContain("It takes: ");
    expect(await refusalWith(name, { "key-that-was-pasted-0123456789": 1 })).not.toContain("pasted");
  });

  it.each<readonly [Name, string]>([
    ["createResolver", "deadlineMs"],
    ["createResolver", "requestTimeoutMs"],
    ["createResolver", "leaseMs"],
    ["createResolver", "pollMs"],
    ["createResolver", "serveStaleMs"],
    ["createResolver", "absentStaleMs"],
    ["createResolver", "maxOrgs"],
    ["createKeyManager", "deadlineMs"],
    ["createKeyManager", "leaseMs"],
    ["sqliteStore", "timeoutMs"],
    ["sqliteStore", "logKeepMs"],
    ["postgresStore", "timeoutMs"],
    ["postgresStore", "logKeepMs"],
    ["postgresStore", "migrateTimeoutMs"],
    ["redisCache", "ttlMs"],
    ["redisCache", "timeoutMs"],
    ["serve", "shutdownMs"],
    ["serve", "port"],
  ])("a number of %s() that is none: %s", async (name, option) => {
    for (const value of ["10", Number.NaN, Number.POSITIVE_INFINITY, -1, null, 10n, {}]) {
      expect(await refusalWith(name, { [option]: value })).toContain(`"${option}" must be `);
    }
  });

  it("a callback that is no function", async () => {
    for (const name of ["createResolver", "createKeyManager", "postgresStore"] as const) {
      expect(await refusalWith(name, { onEvent: "log" })).toContain("a function");
    }
    expect(await refusalWith("createHandler", { onError: {} })).toContain("a function");
    expect(await refusalWith("serve", { logger: () => {} })).toContain("a logger");
  });

  it("an argument of a call", async () => {
    const resolver = createResolver({ store, keyring });
    const agent = { llm_config: { provider: "openai" } };
    const calls: readonly Promise<unknown>[] = [
      resolver.resolve("org", agent, { atleast: 5 } as object),
      resolver.resolve("org", agent, { signal: {} as AbortSignal }),
      resolver.resolve("org", agent, null as unknown as object),
      resolver.client("org", "openai", { deadlineMs: "5" as unknown as number }),
      manager.set("org", undefined as never),
      manager.set("org", { provider: "openai", api_key: "some-key-0123456789" } as never),
      manager.set("org", { provider: "openai", apiKey: "some-key-0123456789", regoin: "eu" } as never),
      manager.set("org", { provider: "openai", apiKey: "some-key-0123456789", region: 5 as unknown as string }),
      manager.remove("org", "openai" as never),
      manager.verify("org", "openai", { acter: "ann" } as object),
      manager.audit("org", { limit: "50" as unknown as number }),
      manager.setMany({} as never),
    ];
    for (const call of calls) expect((await caught(call)).code).toBe("options_invalid");
    const [row] = await manager.setMany([{ orgId: "org", provider: "openai", api_key: "k" } as never]);
    expect(row?.error?.message).toContain('Did you mean "apiKey"?');
  });
});

it("a mistake in a keyring says what was passed", () => {
  for (const [given, says] of [
    ["./keyring.json", "not its path"],
    [Buffer.from(JSON.stringify(json)), 'as "utf8"'],
    [Promise.resolve(json), "a promise"],
    [keyring, "as it is"],
    [undefined, "undefined"],
  ] as const) {
    expect(() => createKeyring(given as never)).toThrow(expect.objectContaining({ code: "options_invalid" }));
    expect(() => createKeyring(given as never)).toThrow(says);
  }
});

it("without a keyring nothing is built that could fall back to the platform's key", async () => {
  for (const wrong of [undefined, json, JSON.stringify(json), {}, { open: keyring.open }]) {
    await refusalWith("createResolver", {
      keyring: wrong,
      platformKeys: { openai: "platform-key-0123456789" },
      fallback: { undecryptable: "platform" },
    });
  }
});

it("an option that is spelt out as undefined was left out, whatever its function", async () => {
  for (const name of names) {
    const [create, right] = functions[name];
    const created = await create({ ...right, onEvent: undefined, regions: undefined, somethingElse: undefined });
    if (name === "serve") await (created as AsyncDisposable)[Symbol.asyncDispose]();
  }
});

it("options, stores, keyrings, caches and providers may be of a class of the platform's own", async () => {
  class OwnStore {
    readonly #store = memoryStore();
    static {
      for (const method of Object.keys(store) as (keyof typeof store)[]) {
        Object.defineProperty(OwnStore.prototype, method, {
          value(this: OwnStore, ...given: unknown[]) {
            return (this.#store[method] as (...given: unknown[]) => unknown)(...given);
          },
        });
      }
    }
  }
  class Own implements Provider {
    readonly #name = "Own";
    readonly id = "own";
    readonly category = "llm";
    readonly docsUrl = "https://own.example";
    readonly serves = ["llm"] as const;
    readonly endpoint = { baseUrl: "https://own.example", websocketUrl: "wss://own.example" };
    readonly models = [];
    get name(): string {
      return this.#name;
    }
    connect(): string {
      return this.#name;
    }
  }
  class Options implements ResolverOptions<Provider> {
    readonly store = new OwnStore() as unknown as ResolverOptions["store"];
    readonly providers = [new Own()];
    readonly cache = idleCache();
    get keyring() {
      return keyring;
    }
    get platformKeys() {
      return { own: "platform-key-0123456789" };
    }
  }
  const options = new Options();
  await options.store.migrate();
  await using resolver = createResolver(options);
  expect((await resolver.client("org", "own")).client).toBe("Own");
});

it("a function that is called with new builds what it builds without", () => {
  const build = createResolver as unknown as new (options: object) => { health(): object };
  expect(new build({ store, keyring }).health()).toMatchObject({ isReady: false });
  expect(() => new build({ store })).toThrow(expect.objectContaining({ code: "options_invalid" }));
});

it("a platform key that is undefined or the empty text is none", async () => {
  const fresh = memoryStore();
  await fresh.migrate();
  const resolver = createResolver({ store: fresh, keyring, platformKeys: { openai: "", xai: undefined } });
  for (const provider of ["openai", "xai"] as const) {
    expect((await caught(resolver.client("org", provider))).code).toBe("key_not_configured");
  }
  await resolver.close();
});
