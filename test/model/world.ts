import { ByokError } from "../../src/errors.ts";
import { createKeyManagerOn } from "../../src/manager/create-key-manager.ts";
import type { KeyManager } from "../../src/manager/key-manager.ts";
import { maxWindowRows } from "../../src/store/change-log.ts";
import { ada } from "../support/ada.ts";
import { type Change, ModelDatabase } from "./model-database.ts";
import { ModelRedis } from "./model-redis.ts";
import { type Court, ModelWorker, orgIdAt } from "./model-worker.ts";
import { Network, type Server } from "./network.ts";
import { cacheOn, keyringOn, storeOn } from "./ports.ts";
import { drain, type ProcessClock, VirtualTime } from "./virtual-time.ts";
import { ordinaryShape, type WorldShape } from "./world-shape.ts";

const parted: readonly Server[] = ["database", "redis", "keyring"];
const jumpsMs = [-60_000, -3_000, -1, 1, 3_000, 90_000] as const;

interface Manager {
  readonly clock: ProcessClock;
  readonly keys: KeyManager;
}

/** Everything of one schedule: workers and a manager of the real code, and all that can go wrong between them. */
export class World implements Court {
  readonly time = new VirtualTime();
  readonly database: ModelDatabase;
  readonly redis = new ModelRedis();
  readonly network: Network;
  readonly shape: WorldShape;
  readonly violations: string[] = [];
  readonly seen = new Set<string>();
  isKeyringRemote: boolean;
  resolves = 0;
  readonly #random: () => number;
  readonly #workers: ModelWorker[];
  #manager: Manager;
  /** What the manager has said to have changed, newest first. */
  readonly #changes: Change[] = [];
  #keys = 0;
  #starts = 0;

  constructor(random: () => number, shape: WorldShape = ordinaryShape) {
    this.#random = random;
    this.shape = shape;
    this.isKeyringRemote = shape.isKeyringRemote;
    this.network = new Network(() => new ByokError("store_unavailable", "The link is cut. Mend it."), shape.delays);
    this.database = new ModelDatabase(() => this.time.nowMs, Math.min(shape.pageRows, maxWindowRows));
    this.#workers = Array.from({ length: shape.workers }, () => this.#start(true));
    this.#manager = this.#startManager();
  }

  /** Every fourth call asks to see one of the last changes. */
  call(choice: number): void {
    const { workers, organisations, hasBareCalls } = this.shape;
    const perOrg = Math.floor(choice / workers);
    const perAsk = Math.floor(perOrg / organisations);
    const isAsking = perAsk % 4 === 0;
    const asked = Math.floor(perAsk / 4);
    const orgId = orgIdAt(perOrg % organisations);
    if (hasBareCalls && !isAsking && asked % 2 === 0) this.#worker(choice).callBare(orgId);
    else this.#worker(choice).call(orgId, isAsking ? this.#changes[asked % 3] : undefined);
  }

  /** Every organisation is called at one worker. */
  rush(choice: number): void {
    for (let at = 0; at < this.shape.organisations; at += 1) this.#worker(choice).callBare(orgIdAt(at));
  }

  request(choice: number): void {
    this.#worker(choice).request(Math.floor(choice / this.shape.workers));
  }

  hangUp(choice: number): boolean {
    return this.#worker(choice).hangUp(Math.floor(choice / this.shape.workers));
  }

  change(choice: number): void {
    const { organisations } = this.shape;
    const orgId = orgIdAt(choice % organisations);
    const apiKey = this.nextKeyOf(orgId);
    const work =
      Math.floor(choice / organisations) % 3 === 0
        ? this.#manager.keys.remove(orgId, { provider: "ada" })
        : this.#manager.keys.set(orgId, { provider: "ada", apiKey, region: null });
    work.then(({ seq }) => this.noteChange(seq), ignore);
  }

  nextKeyOf(orgId: string): string {
    this.#keys += 1;
    return `key-${this.#keys}-of-${orgId}`;
  }

  /** Two keys at once, with one notice. */
  importKeys(choice: number): void {
    const { organisations } = this.shape;
    const rows = [choice, choice + 1].map((each) => {
      const orgId = orgIdAt(each % organisations);
      return { orgId, provider: "ada", apiKey: this.nextKeyOf(orgId), region: null };
    });
    this.#manager.keys.setMany(rows).then((imported) => {
      for (const { error, seq } of imported) if (error === undefined) this.noteChange(seq);
    }, ignore);
  }

  /** A manager was told the number of its change: callers may ask to see it. */
  noteChange(seq: number): void {
    const change = this.database.changeAt(seq);
    if (change !== undefined) this.#changes.unshift(change);
    this.#changes.splice(3);
  }

  stop(choice: number): void {
    const { clock } = this.#worker(choice);
    clock.isStopped = !clock.isStopped;
  }

  /** The machine of a worker, whose monotonic clock stands still as well. */
  suspend(choice: number): void {
    this.#worker(choice).clock.suspend();
  }

  /** Somebody sets a wall clock. */
  jump(choice: number): void {
    this.#worker(choice).clock.skewMs += jumpsMs[Math.floor(choice / this.shape.workers) % jumpsMs.length] ?? 1;
  }

  /** Somebody sets a wall clock back further than any machine is suspended. */
  setBack(choice: number): void {
    this.#worker(choice).clock.skewMs -= 100_000_000;
  }

  /** A process loses a server, or finds it again. */
  partition(choice: number): void {
    const clocks = [...this.#workers, this.#manager].map(({ clock }) => clock);
    const clock = clocks[choice % clocks.length] as ProcessClock;
    this.network.part(clock, parted[Math.floor(choice / clocks.length) % parted.length] ?? "redis");
  }

  cutManager(choice: number): boolean {
    return this.network.cut(choice, this.#manager.clock);
  }

  /** The manager dies in the middle of whatever it does: what it has committed is told to nobody. */
  restartManager(): void {
    this.#manager.clock.isStopped = true;
    this.network.forget(this.#manager.clock);
    this.#manager = this.#startManager();
  }

  /** A notice of a change that there is not, not yet, or not any more, or without a number. */
  forge(choice: number): boolean {
    const { organisations } = this.shape;
    const orgId = choice % (organisations + 1) === organisations ? null : orgIdAt(choice % (organisations + 1));
    const { seq: head } = this.database.head;
    const seq = [head + 1, head, head + 1_000, Math.max(0, head - 1), null][Math.floor(choice / 7) % 5] ?? null;
    return this.redis.forge({ orgId, seq }, Math.floor(choice / 35));
  }

  /** The new process may be one that no cache was given to; calls may wait for it already. */
  async restart(choice: number): Promise<void> {
    const { workers, organisations } = this.shape;
    const old = this.#worker(choice);
    await old.resolver.close();
    const perWorker = Math.floor(choice / workers);
    const worker = this.#start(Math.floor(perWorker / 2) % 2 === 0);
    this.#workers[choice % workers] = worker;
    if (perWorker % 2 === 0) worker.resolver.ready().catch(ignore);
    if (Math.floor(perWorker / 4) % 2 === 0)
      for (let at = 0; at < organisations; at += 1) worker.call(orgIdAt(at), undefined);
  }

  advance(ms: number): void {
    this.time.nowMs += ms;
    for (const { clock } of [...this.#workers, this.#manager]) clock.fire();
  }

  /** Judges what every worker would hand out if it was asked now. */
  judgeHeld(): void {
    for (const worker of this.#workers) worker.judgeHeld();
  }

  /** Liveness: mends everything, lets everything arrive, and then every worker serves what is stored now. */
  async settle(): Promise<void> {
    for (const { clock } of [...this.#workers, this.#manager]) clock.resume();
    this.network.mend();
    for (let round = 0; round < 45; round += 1) await this.#letArrive(700);
    if (this.violations.length > 0) return;
    let isOver = false;
    const judged = Promise.all(this.#workers.map((worker) => worker.judgeHealed())).then(() => {
      isOver = true;
    });
    for (let round = 0; round < 20 && !isOver; round += 1) await this.#letArrive(300);
    if (!isOver) this.violations.push("a call never ended once everything was mended");
    else await judged;
  }

  async close(): Promise<void> {
    for (const { resolver } of this.#workers) await resolver.close();
    await drain();
  }

  async #letArrive(ms: number): Promise<void> {
    for (let at = 0; at < 400 && this.network.size > 0; at += 1) {
      this.network.step(0);
      await drain();
    }
    this.advance(ms);
    await drain();
  }

  #worker(choice: number): ModelWorker {
    return this.#workers[choice % this.shape.workers] as ModelWorker;
  }

  #start(hasCache: boolean): ModelWorker {
    this.#starts += 1;
    const { callStaleMs } = this.shape;
    const staleMs = callStaleMs[(this.#starts - 1) % callStaleMs.length] ?? 0;
    return new ModelWorker(this, this.time.process(this.#random), hasCache && this.shape.hasCache, staleMs);
  }

  #startManager(): Manager {
    const clock = this.time.process(this.#random);
    const keys = createKeyManagerOn(clock, {
      store: storeOn(this, clock),
      keyring: keyringOn(this, clock),
      cache: cacheOn(this, clock, this.shape.entryMs),
      providers: [ada],
      verify: "off",
      leaseMs: this.shape.leaseMs,
    });
    return { clock, keys };
  }
}

const ignore = (): void => {};
