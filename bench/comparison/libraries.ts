import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { createCache } from "cache-manager";
import { Cacheable } from "cacheable";

/** A cache library as it is used for this job: a value per organisation, read through, deleted on a change. */
export interface Library {
  readonly name: string;
  get(orgId: string, load: () => Promise<string>): Promise<string | undefined>;
  remove(orgId: string): Promise<unknown>;
}

export function libraries(): readonly Library[] {
  const memory = memoryDriver({ maxItems: 10_000 });
  const bento = new BentoCache({ default: "keys", stores: { keys: bentostore().useL1Layer(memory) } });
  const cacheable = new Cacheable({ ttl: 600_000 });
  const manager = createCache({ ttl: 600_000 });
  return [
    {
      name: "bentocache",
      get: (orgId, load) => bento.getOrSet({ key: orgId, factory: load, ttl: 600_000 }),
      remove: (orgId) => bento.delete({ key: orgId }),
    },
    {
      name: "cacheable",
      get: (orgId, load) => cacheable.getOrSet(orgId, load),
      remove: (orgId) => cacheable.delete(orgId),
    },
    {
      name: "cache-manager",
      get: (orgId, load) => manager.wrap(orgId, load),
      remove: (orgId) => manager.del(orgId),
    },
  ];
}
