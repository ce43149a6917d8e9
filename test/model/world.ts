import { ByokError } from "../../src/errors.ts";
import { createKeyManagerOn } from "../../src/manager/create-key-manager.ts";
import type { KeyManager } from "../../src/manager/key-manager.ts";
import { ada } from "../support/ada.ts";
import { type Change, ModelDatabase } from "./model-database.ts";
import { ModelRedis } from "./model-redis.ts";
import { type Court, leaseMs, ModelWorker } from "./model-worker.ts";
import { Network } from "./network.ts";
import { cacheOn, keyringOn, storeOn } from "./ports.ts";
import { drain, type ProcessClock, VirtualTime } from "./virtual-time.ts";

/** More than a worker has fences for. */
const orgs = ["a", "b", "c"] as const;

/** Everything of one schedule: two workers and a manager of the real code, and all that can go wrong between them. */
export class World implements Court {
  readonly time = new VirtualTime();
  readonly database = new ModelDatabase(() => this.time.nowMs);
  readonly redis = new ModelRedis();
  readonly network = new Network(() => new ByokError("store_unavailable", "The link is cut. Mend it."));
  readonly violations: string[] = [];
  readonly seen = new Set<string>();
  isKeyringRemote = false;
  readonly #random: () => number;
  readonly #workers: ModelWorker[];
  readonly #manager: { readonly clock: ProcessClock; readonly keys: KeyManager };
  /** What the manager has said to have changed, newest first. */
  readonly #changes: Change[] = [];
  #keys = 0;
  #starts = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#workers = [0, 1].map(() => this.#start(true));
    const clock = this.time.process(random);
    const keys = createKeyManagerOn(clock, {
      store: storeOn(this, clock),
      keyring: keyringOn(this, clock),
      cache: cacheOn(this, clock),
      providers: [ada],
      verify: "off",
      leaseMs,
    });
    this.#manager = { clock, keys };
  }

  /** Every fourth call asks to see one of the last changes. */
  call(choice: number): void {
    const orgId = orgs[Math.floor(choice / 2) % 3] as string;
    const isAsking = Math.floor(choice / 6) % 4 === 0;
    this.#workers[choice % 2]?.call(orgId, isAsking ? this.#changes[Math.floor(choice / 24) % 3] : undefined);
  }

  request(choice: number): void {
    this.#workers[choice % 2]?.request(Math.floor(choice / 2));
  }

  change(choice: number): void {
    const orgId = orgs[choice % 3] as string;
    this.#keys += 1;
    const work =
      Math.floor(choice / 3) % 3 === 0
        ? this.#manager.keys.remove(orgId, { provider: "ada" })
        : this.#manager.keys.set(orgId, { provider: "ada", apiKey: `key-${this.#keys}-of-${orgId}`, region: null });
    work.then(
      ({ seq }) => {
        const change = this.database.changeAt(seq);
        if (change !== undefined) this.#changes.unshift(change);
      },
      () => {},
    );
  }

  stop(choice: number): void {
    const { clock } = this.#workers[choice % 2] as ModelWorker;
    clock.isStopped = !clock.isStopped;
  }

  /** The new process may be one that no cache was given to; calls may wait for it already. */
  async restart(choice: number): Promise<void> {
    await this.#workers[choice % 2]?.resolver.close();
    const worker = this.#start(Math.floor(choice / 4) % 2 === 0);
    this.#workers[choice % 2] = worker;
    if (Math.floor(choice / 2) % 2 === 0) worker.resolver.ready().catch(() => {});
    if (Math.floor(choice / 8) % 2 === 0) for (const orgId of orgs) worker.call(orgId, undefined);
  }

  advance(ms: number): void {
    this.time.nowMs += ms;
    for (const { clock } of [...this.#workers, this.#manager]) clock.fire();
  }

  async close(): Promise<void> {
    for (const { resolver } of this.#workers) await resolver.close();
    await drain();
  }

  #start(hasCache: boolean): ModelWorker {
    this.#starts += 1;
    return new ModelWorker(this, this.time.process(this.#random), hasCache, this.#starts % 2 === 0 ? 0 : 15_000);
  }
}
