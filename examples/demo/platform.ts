import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BuiltinProvider,
  builtinProviders,
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyManager,
  platformKeysFromEnv,
  type Resolver,
} from "byokit";
import { redisCache } from "byokit/redis";
import { sqliteStore } from "byokit/sqlite";
import { type ProviderDoubles, startProviderDoubles } from "byokit/testing";
import type { Redis } from "ioredis";

export type Id = BuiltinProvider["id"];
const ids: readonly Id[] = builtinProviders.map(({ id }) => id);

/** Whose organisation has which keys. */
const organisations: Readonly<Record<string, readonly Id[]>> = {
  acme: ids,
  borealis: ["openai", "deepgram"],
  cobalt: [],
};

export interface DemoPlatform extends AsyncDisposable {
  readonly resolver: Resolver;
  readonly manager: KeyManager;
  readonly databasePath: string;
  /** `undefined` when the demo talks to the real providers. */
  readonly doubles: ProviderDoubles | undefined;
  readonly organisations: readonly string[];
  /** Whose key a double received; `undefined` when it received none. */
  ownerOf(key: string | null): string | undefined;
  readonly availableProviders: ReadonlySet<Id>;
  readonly hasRedis: boolean;
  anotherWorker(): Promise<Resolver>;
  /** Where the last snapshot was found. */
  lastOrigin(): string;
}

const origins = { memory: "memory", cache: "redis", store: "database" } as const;

/** A client that fails fast, as docs/scaling.md shows it, when BYOK_REDIS_URL names a server. */
async function redisFromEnv(): Promise<Redis | undefined> {
  const url = process.env["BYOK_REDIS_URL"];
  if (!url) return undefined;
  const { Redis: Client } = await import("ioredis");
  const redis = new Client(url, {
    enableOfflineQueue: false,
    commandTimeout: 200,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  });
  redis.on("error", () => {});
  await new Promise<void>((resolve) => redis.once("ready", () => resolve()).once("close", () => resolve()));
  return redis;
}

const ownKey = (orgId: string, id: Id): string => `demo-${id}-key-of-${orgId}`;
const platformKey = (id: Id): string => `demo-${id}-key-of-the-platform`;

/** Everything that a platform has, on the embedded database and, unless it is live, on doubles of the providers. */
export async function demoPlatform(isLive: boolean): Promise<DemoPlatform> {
  const folder = mkdtempSync(join(tmpdir(), "byokit-demo-"));
  const databasePath = join(folder, "byok.sqlite");
  const store = sqliteStore({ path: databasePath });
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const redis = await redisFromEnv();
  const cache = redis === undefined ? {} : { cache: redisCache({ redis, prefix: `byokit-demo-${process.pid}:` }) };
  const owners = new Map<string, string>();
  const doubles = isLive ? undefined : await startProviderDoubles();
  const endpoints = doubles === undefined ? {} : { endpoints: doubles.endpoints };
  const manager = createKeyManager({ store, keyring, ...cache, ...endpoints });
  const platformKeys = isLive ? platformKeysFromEnv() : Object.fromEntries(ids.map((id) => [id, platformKey(id)]));
  for (const [id, key] of Object.entries(platformKeys) as [Id, string][]) {
    owners.set(key, "platform");
    doubles?.accept(id, key);
  }
  for (const [orgId, has] of Object.entries(organisations)) {
    for (const id of has) {
      const apiKey = isLive ? process.env[`BYOK_LIVE_${id.toUpperCase()}_KEY`] : ownKey(orgId, id);
      if (!apiKey) continue;
      owners.set(apiKey, orgId);
      doubles?.accept(id, apiKey);
      await manager.set(orgId, { provider: id, apiKey, actor: "demo" });
    }
  }
  let origin = "";
  const anotherWorker = async (): Promise<Resolver> => {
    const worker = createResolver({
      store,
      keyring,
      ...cache,
      platformKeys,
      onEvent: (event) => {
        if (event.type === "snapshot_used") origin = origins[event.from];
      },
      ...endpoints,
    });
    await worker.ready();
    return worker;
  };
  const resolver = await anotherWorker();
  return {
    resolver,
    manager,
    databasePath,
    doubles,
    organisations: Object.keys(organisations),
    ownerOf: (key) => owners.get(key ?? ""),
    availableProviders: new Set(isLive ? (Object.keys(platformKeys) as Id[]) : ids),
    hasRedis: redis !== undefined,
    anotherWorker,
    lastOrigin: () => origin,
    async [Symbol.asyncDispose]() {
      await resolver.close();
      redis?.disconnect();
      await store.close();
      await doubles?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
