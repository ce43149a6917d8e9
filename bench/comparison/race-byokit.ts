import { createKeyManager, createKeyring, createResolver, generateKeyring, type KeyStore, memoryStore } from "byokit";
import { redisCache } from "byokit/redis";
import { failFastRedis } from "../../test/servers/redis-server.ts";
import type { Contestant } from "./contestant.ts";

const orgId = "org";
const provider = "openai";

/** As its documentation sets it up, and without `atLeast`: no call is told of the removal. */
export const byokit: Contestant = {
  name: "byokit",
  isTold: true,
  async begin() {
    const database = { held: Promise.resolve() };
    const store = memoryStore();
    await store.migrate();
    const keyring = createKeyring(generateKeyring());
    await createKeyManager({ store, keyring, verify: "off" }).set(orgId, { provider, apiKey: "the-key" });
    const snapshots: KeyStore["snapshots"] = async (orgIds) => {
      const read = await store.snapshots(orgIds);
      if (orgIds.includes(orgId)) await database.held;
      return read;
    };
    return {
      database,
      async worker(redisUrl) {
        const redis = redisUrl === undefined ? undefined : failFastRedis(redisUrl);
        const cache = redis && { cache: redisCache({ redis }) };
        const manager = createKeyManager({ store, keyring, verify: "off", ...cache });
        const platformKeys = { openai: "nothing" };
        const resolver = createResolver({
          store: { ...store, snapshots },
          keyring,
          platformKeys,
          clients: false,
          ...cache,
        });
        await resolver.ready();
        return {
          isConnected: async () => redis === undefined || (await redis.ping()) === "PONG",
          ask: async () => ((await resolver.client(orgId, provider)).source === "platform" ? "nothing" : "the key"),
          remove: async () => {
            const { published, effectiveWithinMs } = await manager.remove(orgId, { provider });
            return `published: ${published}, in force within ${effectiveWithinMs / 1_000} s`;
          },
          async close() {
            await resolver.close();
            redis?.disconnect();
          },
        };
      },
    };
  },
};
