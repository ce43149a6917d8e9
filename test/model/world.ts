import type { KeyCache } from "../../src/cache/key-cache.ts";
import { ByokError, isByokError } from "../../src/errors.ts";
import { createKeyManagerOn } from "../../src/manager/create-key-manager.ts";
import type { KeyManager } from "../../src/manager/key-manager.ts";
import { defineProvider, type Provider } from "../../src/providers/provider.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import type { Resolver } from "../../src/resolver/resolver.ts";
import { Secret } from "../../src/secret.ts";
import type { KeyStore, LogPage } from "../../src/vault/key-store.ts";
import type { Keyring } from "../../src/vault/keyring.ts";
import { generateKeyring } from "../../src/vault/keyring-json.ts";
import { createKeyring } from "../../src/vault/local-keyring.ts";
import { ModelDatabase, type Value } from "./model-database.ts";
import { ModelRedis } from "./model-redis.ts";
import { Network } from "./network.ts";
import { drain, type ProcessClock, VirtualTime } from "./virtual-time.ts";

const leaseMs = 10_000;
const orgs = ["a", "b"] as const;
const deadlineMs = 2_000;
/** What the resolver leaves of it to one read of the store. */
const readLimitMs = 0.8 * deadlineMs;
const agent = { llm_config: { provider: "ada" } } as const;

const ada = defineProvider({
  id: "ada",
  name: "Ada",
  category: "llm",
  docsUrl: "https://vendor.example",
  serves: ["llm"],
  endpoint: { baseUrl: "https://ada.example", websocketUrl: "wss://ada.example" },
  models: [],
  connect: ({ key }) => key.reveal(),
});

/** Answers at once, so that nothing but the schedule decides an order. Sealed text is the key itself. */
const cacheRing = createKeyring(generateKeyring("kek-1")).cache;
const keyring: Keyring = {
  seal: (key) => ({ kid: "kek-1", sealed: key.reveal() }),
  open: (sealed) => new Secret(sealed),
  ...(cacheRing === undefined ? {} : { cache: cacheRing }),
};

interface Process {
  readonly clock: ProcessClock;
  readonly resolver: Resolver<typeof ada>;
  /** Per organisation the newest of its truths that this process has read of in the log, or has handed out. */
  readonly known: Map<string, number>;
  incarnation: string | undefined;
}

/** Everything of one schedule: two workers and a manager of the real code, and all that can go wrong between them. */
export class World {
  readonly time = new VirtualTime();
  readonly database = new ModelDatabase(() => this.time.nowMs);
  readonly redis = new ModelRedis();
  readonly network = new Network(() => new ByokError("store_unavailable", "The link is cut. Mend it."));
  readonly violations: string[] = [];
  readonly seen = new Set<string>();
  readonly #random: () => number;
  readonly #workers: Process[];
  readonly #manager: { readonly clock: ProcessClock; readonly keys: KeyManager };
  #keys = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#workers = [0, 1].map(() => this.#start());
    const clock = this.time.process(random);
    const store = this.#storeFor(clock, undefined);
    const cache = this.#cacheFor(clock);
    const providers: readonly Provider[] = [ada];
    this.#manager = { clock, keys: createKeyManagerOn(clock, { store, keyring, cache, providers, leaseMs }) };
  }

  /** Starts a call; when it ends, what it was handed out is judged in that very turn. */
  call(choice: number): void {
    const worker = this.#workers[choice % 2] as Process;
    const orgId = orgs[Math.floor(choice / 2) % 2] as string;
    if (worker.clock.isStopped) return;
    worker.resolver.resolve(orgId, agent).then(
      ({ llm }) => this.#judge(worker, orgId, llm.source === "byok" ? llm.client : null, llm.stale),
      (error: unknown) => {
        if (!isByokError(error)) this.violations.push(`a call failed with ${String(error)}`);
      },
    );
  }

  change(choice: number): void {
    const orgId = orgs[choice % 2] as string;
    this.#keys += 1;
    const work =
      Math.floor(choice / 2) % 3 === 0
        ? this.#manager.keys.remove(orgId, "ada")
        : this.#manager.keys.set(orgId, { provider: "ada", apiKey: `key-${this.#keys}-of-${orgId}` });
    work.catch(() => {});
  }

  stop(choice: number): void {
    const { clock } = this.#workers[choice % 2] as Process;
    clock.isStopped = !clock.isStopped;
  }

  async restart(choice: number): Promise<void> {
    await this.#workers[choice % 2]?.resolver.close();
    const worker = this.#start();
    this.#workers[choice % 2] = worker;
    if (choice % 2 === 0) worker.resolver.ready().catch(() => {});
  }

  advance(ms: number): void {
    this.time.nowMs += ms;
    for (const { clock } of [...this.#workers, this.#manager]) clock.fire();
  }

  async close(): Promise<void> {
    for (const { resolver } of this.#workers) await resolver.close();
    await drain();
  }

  #start(): Process {
    const clock = this.time.process(this.#random);
    const process: Process = {
      clock,
      known: new Map(),
      incarnation: undefined,
      resolver: createResolverOn<typeof ada>(clock, {
        store: this.#storeFor(clock, (page) => this.#learn(process, page)),
        keyring,
        cache: this.#cacheFor(clock),
        providers: [ada],
        platformKeys: { ada: "platform" },
        leaseMs,
        deadlineMs,
        absentStaleMs: 20_000,
        maxOrgs: 1,
        onEvent: (event) => {
          const detail = "reason" in event ? event.reason : "from" in event ? event.from : "";
          this.seen.add(`${event.type} ${detail}`.trim());
        },
      }),
    };
    return process;
  }

  #storeFor(clock: ProcessClock, onPage: ((page: LogPage) => void) | undefined): KeyStore {
    const { network, database } = this;
    const ask = <T>(execute: () => T, onReply?: (answer: T) => void): Promise<T> => {
      const sentAtMs = this.time.nowMs;
      return network.send("database", clock, execute, (answer) => {
        if (this.time.nowMs - sentAtMs < readLimitMs) onReply?.(answer);
      });
    };
    return {
      migrate: async () => {},
      snapshots: (orgIds) => ask(() => orgIds.map((orgId) => database.snapshot(orgId))),
      poll: (cursor) => ask(() => database.poll(cursor), onPage),
      put: (key) => ask(() => database.put(key)),
      remove: ({ orgId }) => ask(() => database.remove(orgId)),
      describe: async () => [],
      noteCheck: async () => false,
      audit: async () => [],
      close: async () => {},
    };
  }

  #cacheFor(clock: ProcessClock): KeyCache {
    const { network, redis } = this;
    return {
      maxAgeMs: 60_000,
      timeoutMs: 500,
      get: (orgId) => network.send("redis", clock, () => redis.get(orgId)),
      set: (orgId, entry) => network.send("redis", clock, () => redis.set(orgId, entry)),
      invalidate: (hint) => network.send("redis", clock, () => redis.invalidate(hint)),
      subscribe: (onHint) => ({ close: redis.subscribe((hint) => clock.isStopped || onHint(hint)) }),
      warnings: () => [],
    };
  }

  /** What a page shows is known from the turn on in which its reply arrives. */
  #learn(process: Process, page: LogPage): void {
    if (process.incarnation !== page.incarnation) process.known.clear();
    process.incarnation = page.incarnation;
    for (const { orgId, mark } of page.changes) this.#know(process, orgId, this.database.truthAt(mark));
  }

  #know({ known }: Process, orgId: string, truth: number): void {
    known.set(orgId, Math.max(truth, known.get(orgId) ?? 0));
  }

  #judge(worker: Process, orgId: string, value: Value, isStale: boolean): void {
    const name = `${orgId}: ${value}`;
    if (value !== null && !value.endsWith(`-of-${orgId}`)) this.violations.push(`another organisation's key, ${name}`);
    const isAbsentStale = value === null && isStale;
    if (!isAbsentStale && !this.database.wasTrue(orgId, value, this.time.nowMs - leaseMs)) {
      this.violations.push(`older than the lease, ${name}`);
    }
    const truth = this.database.truthFrom(orgId, value, worker.known.get(orgId) ?? 0);
    if (truth < 0) this.violations.push(`older than a known change, ${name}`);
    else worker.known.set(orgId, truth);
  }
}
