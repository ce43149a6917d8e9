import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { createCache } from "cache-manager";
import { Cacheable } from "cacheable";

/** A cache library as it is used for this job: a value per organisation, read through. */
export interface Library {
  readonly name: string;
  get(orgId: string, load: () => Promise<string>): Promise<string | undefined>;
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
    },
    {
      name: "cacheable",
      get: (orgId, load) => cacheable.getOrSet(orgId, load),
    },
    {
      name: "cache-manager",
      get: (orgId, load) => manager.wrap(orgId, load),
    },
  ];
}
