import { createKeyManager, createResolver, type KeyCache, type KeyManager, type Resolver } from "../../src/index.ts";
import { idleCache } from "../../test/support/idle-cache.ts";
import { providers, trailRows } from "./filled-shape.ts";
import type { GrowingStore } from "./growing-store.ts";

/** What is measured of a store. */
export interface Operation {
  readonly operation: string;
  /** How often in a round, at most. */
  readonly times: number;
  /** By how many the time is divided. */
  readonly per?: number;
  /** Whether it returns more rows the more organisations there are. */
  readonly returnsMore?: boolean;
  /** Before each time, and not measured. */
  readonly before?: () => Promise<unknown>;
  readonly run: () => Promise<unknown>;
}

const agent = {
  llm_config: { provider: "openai" },
  stt_config: { provider: "deepgram" },
  tts_config: { provider: "elevenlabs" },
} as const;

/** Changes that managers make at once, and how many managers. */
const changesAtOnce = 32;
const managersAtOnce = 4;
const importedKeys = 500;

/** Ends the worker that the operations share. */
export interface Operations {
  readonly operations: readonly Operation[];
  close(): Promise<void>;
}

export async function listOperations({ store, keyring, orgIds }: GrowingStore): Promise<Operations> {
  const worker = (cache?: KeyCache): Resolver =>
    createResolver({
      store,
      keyring,
      clients: false,
      deadlineMs: 20_000,
      ...(cache === undefined ? { maxOrgs: 1 } : { cache }),
    });
  const newManager = (): KeyManager => createKeyManager({ store, keyring, verify: "off", deadlineMs: 20_000 });
  const resolver = worker();
  await resolver.ready();
  const managers = Array.from({ length: managersAtOnce }, newManager);
  const [manager] = managers as [KeyManager];
  let turn = 0;
  const next = (): string => orgIds[turn++ % orgIds.length] ?? "";
  const set = (orgId: string): Promise<unknown> =>
    manager.set(orgId, { provider: "openai", apiKey: `key-of-a-change-${turn}-of-a-usual-length` });
  const [first = ""] = orgIds;
  const trail = await store.audit(first, { before: null, limit: trailRows });
  const deep = trail[Math.floor(trailRows * 0.9)]?.id ?? null;
  let boots: Resolver | undefined;
  const boot = async (cache?: KeyCache): Promise<void> => {
    boots = worker(cache);
    await boots.ready();
  };
  const endBoot = async (): Promise<void> => await boots?.close();
  let changing = "";
  let [head, changed]: [number, number] = [0, 0];
  const readHead = async (): Promise<void> => {
    ({ head } = await store.poll({ windowMs: 0 }));
  };
  const operations: readonly Operation[] = [
    { operation: "resolve a cold organisation", times: 100, run: () => resolver.resolve(next(), agent) },
    {
      operation: "resolve 100 cold ones at once",
      times: 4,
      run: () => Promise.all(Array.from({ length: 100 }, () => resolver.resolve(next(), agent))),
    },
    { operation: "poll, nothing new", times: 100, before: readHead, run: () => store.poll({ after: head }) },
    { operation: "poll, 10 changes", times: 100, before: readHead, run: () => store.poll({ after: head - 10 }) },
    { operation: "list references", times: 60, run: () => manager.list(next()) },
    { operation: "describe an organisation", times: 60, run: () => manager.describe(next()) },
    { operation: "audit trail, first page", times: 40, run: () => manager.audit(first, { limit: 50 }) },
    { operation: "audit trail, deep page", times: 40, run: () => store.audit(first, { before: deep, limit: 51 }) },
    { operation: "boot", times: 20, before: endBoot, run: () => boot() },
    {
      operation: "boot, with an hour of the log read back",
      times: 10,
      returnsMore: true,
      before: endBoot,
      run: () => boot(silentCache),
    },
    { operation: "store a key", times: 20, run: () => set(next()) },
    {
      operation: "remove a key",
      times: 20,
      before: async () => {
        if (changing !== "") await set(changing);
        changing = next();
      },
      run: () => manager.remove(changing, { provider: "openai" }),
    },
    {
      operation: `a change, ${changesAtOnce} at once by ${managersAtOnce} managers`,
      times: 3,
      per: changesAtOnce,
      run: () => changeAtOnce(managers, next),
    },
    {
      operation: "import a key by setMany",
      times: 1,
      per: importedKeys,
      run: async () => {
        const keys = Array.from({ length: importedKeys }, () => {
          changed += 1;
          const provider = providers[changed % providers.length] ?? "";
          return {
            orgId: `imported-${Math.floor(changed / providers.length)}`,
            provider,
            apiKey: `key-that-is-imported-${changed}`,
          };
        });
        const results = await manager.setMany(keys);
        if (results.some(({ error }) => error !== undefined)) throw new Error("A key was not imported.");
      },
    },
  ];
  const close = async (): Promise<void> => {
    await endBoot();
    await resolver.close();
  };
  return { operations, close };
}

/** Each manager has its share of them. */
async function changeAtOnce(managers: readonly KeyManager[], next: () => string): Promise<void> {
  const changes = Array.from({ length: changesAtOnce }, async (_, at) => {
    const apiKey = `key-of-one-of-many-changes-${at}`;
    await managers[at % managers.length]?.set(next(), { provider: "deepgram", apiKey });
  });
  await Promise.all(changes);
}

/** As Redis is for a worker that starts: nothing but the age of its entries matters then. */
const silentCache = idleCache({ maxAgeMs: 3_960_000 });
