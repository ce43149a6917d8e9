import type { Keyring } from "../../src/keyring/keyring.ts";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { Secret } from "../../src/secret.ts";
import type { KeyCache } from "../../src/shared-cache/key-cache.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import type { Knowledge } from "./knowledge.ts";
import type { ModelDatabase } from "./model-database.ts";
import type { ModelRedis } from "./model-redis.ts";
import type { Network } from "./network.ts";
import type { ProcessClock } from "./virtual-time.ts";

/** What the processes of one schedule talk to. */
export interface Servers {
  readonly network: Network;
  readonly database: ModelDatabase;
  readonly redis: ModelRedis;
  /** Whether a key service answers over the network, or a local keyring at once. */
  readonly isKeyringRemote: boolean;
}

let places = 0;

const { entryCipher } = createKeyring(generateKeyring("kek-1"));

/** A process's way to the database. What a worker takes in of the replies counts as known to it. */
export function storeOn({ network, database }: Servers, clock: ProcessClock, knowledge?: Knowledge): KeyStore {
  const ask = <T>(execute: () => T): Promise<T> => network.send("database", clock, execute);
  const expect: Knowledge["expect"] = (reply) => knowledge?.expect(reply, database) ?? reply;
  return {
    migrate: async () => {},
    snapshots: (orgIds) => ask(() => orgIds.map((orgId) => expect(database.snapshot(orgId), database))),
    poll: (cursor) => network.send("log", clock, () => expect(database.poll(cursor), database)),
    put: (key) => ask(() => database.put(key)),
    putMany: (keys) => ask(() => keys.map((key) => database.put(key))),
    takePlaces: (refs, place) => ask(() => refs.map(({ orgId }) => database.takePlace(orgId, place))),
    remove({ orgId }) {
      places += 1;
      const place = `removal ${places}`;
      return ask(() => database.remove(orgId, place));
    },
    describe: async () => [],
    noteCheck: async () => false,
    noteAttempt: async () => {},
    audit: async () => [],
    findContradictions: async () => [],
    close: async () => {},
  };
}

export function cacheOn({ network, redis }: Servers, clock: ProcessClock, maxAgeMs = 20_000): KeyCache {
  return {
    maxAgeMs,
    timeoutMs: 500,
    get: (orgId) => network.send("redis", clock, () => redis.get(orgId)),
    set: (orgId, entry) => network.send("redis", clock, () => redis.set(orgId, entry)),
    invalidate: (notice) => network.send("redis", clock, () => redis.invalidate(notice)),
    subscribe: (onNotice) => ({ close: redis.subscribe((notice) => clock.isStopped || onNotice(notice)) }),
    warnings: () => [],
  };
}

/** Sealed text is the key itself. */
export function keyringOn(servers: Servers, clock: ProcessClock): Keyring {
  const { network } = servers;
  return {
    seal: (key) => ({ kid: "kek-1", sealed: key.reveal() }),
    open(sealed) {
      return servers.isKeyringRemote ? network.send("keyring", clock, () => new Secret(sealed)) : new Secret(sealed);
    },
    ...(entryCipher === undefined ? {} : { entryCipher }),
  };
}
