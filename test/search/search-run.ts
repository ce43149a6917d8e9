import { setTimeout as pause } from "node:timers/promises";
import { ownPostgresServer } from "../servers/postgres-server.ts";
import { ownRedisServer } from "../servers/redis-server.ts";
import type { Servers } from "./live-world.ts";
import { batchSize } from "./model-batch.ts";
import { ModelPlayer } from "./model-player.ts";
import { runSchedule } from "./run-schedule.ts";
import type { SearchOptions } from "./search-options.ts";
import { describeProgress, describeSearch } from "./search-report.ts";
import { addBatch, addSchedule, beginState, readState, type SearchState, writeState } from "./search-state.ts";

/** The model and the servers take turns of together so long: the one's load would make the other's links slow. */
const roundSeconds = 300;
/** Of each turn of the model, on one core: counting branches takes a third of its speed. */
const countedBatches = 32;
/** A search that goes on finding need not go on. */
const maxViolations = 50;
/** Between two lines of how far it has come. */
const sayEverySeconds = 60;

/** One search, from its beginning or from where an earlier one ended. */
export class SearchRun {
  readonly state: SearchState;
  readonly #options: SearchOptions;
  readonly #endsAt: number;
  /** How many violations this search has found, without those of one that it goes on with. */
  #found = 0;
  /** However short its time, a search plays something. */
  #hasPlayed = false;
  #isStopped = false;
  #saidAt: number = performance.now();

  constructor(options: SearchOptions) {
    this.#options = options;
    const { isResumed, stateFile, seed } = options;
    this.state = isResumed && stateFile !== undefined ? readState(stateFile) : beginState(seed);
    this.#endsAt = performance.now() + 1_000 * options.seconds;
  }

  /** What is being played ends first. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Ends with its time, when it is stopped, or with its fiftieth violation; of real servers alone with the first. */
  async untilItsEnd(): Promise<SearchState> {
    const { share, seconds } = this.#options;
    const round = Math.min(roundSeconds, seconds);
    for (let rounds = 0; !this.#isOver(this.#endsAt); rounds += 1) {
      if (share < 1) await this.#playModel((1 - share) * round);
      if (share > 0 && !this.#isOver(this.#endsAt)) await this.#searchServers(share * round);
      this.#save();
      if (rounds % 6 === 5) this.#say(describeSearch(this.state).join("\n"));
    }
    this.#save();
    return this.state;
  }

  #isOver(endsAt: number): boolean {
    const isFull = this.#found >= (this.#options.share === 1 ? 1 : maxViolations);
    return this.#isStopped || isFull || (this.#hasPlayed && performance.now() >= endsAt);
  }

  async #playModel(seconds: number): Promise<void> {
    const since = performance.now();
    const endsAt = Math.min(this.#endsAt, since + 1_000 * seconds);
    const under = new Set<number>();
    let [next, saved] = [this.state.next.model, since];
    const play = async (countsBranches: boolean, most: number): Promise<void> => {
      const player = new ModelPlayer([], countsBranches);
      for (let at = 0; at < most && !this.#isOver(endsAt); at += 1) {
        const first = next;
        next += batchSize;
        under.add(first);
        const report = await player.play({ first, count: batchSize });
        addBatch(this.state, report);
        this.#found += report.violations.length;
        this.#hasPlayed = true;
        under.delete(first);
        this.state.next.model = Math.min(next, ...under);
        const now = performance.now();
        this.state.model.seconds += (now - saved) / 1_000;
        saved = now;
        this.#sayNowAndThen();
      }
      for (const report of await player.close()) addBatch(this.state, report);
    };
    const cores = Array.from({ length: this.#options.cores }, async (_, at) => {
      if (at === 0) await play(true, countedBatches);
      await play(false, Number.POSITIVE_INFINITY);
    });
    await Promise.all(cores);
  }

  async #searchServers(seconds: number): Promise<void> {
    const postgres = await ownPostgresServer();
    const redis = await ownRedisServer();
    const servers: Servers = { databaseUrl: postgres.url, redisUrl: redis.url };
    const endsAt = Math.min(this.#endsAt, performance.now() + 1_000 * seconds);
    try {
      do {
        const since = performance.now();
        const seed = this.state.next.servers;
        const report = await runSchedule(servers, seed);
        addSchedule(this.state, seed, report);
        if (report.violations.length > 0) this.#found += 1;
        this.#hasPlayed = true;
        this.state.next.servers = seed + 1;
        this.state.servers.seconds += (performance.now() - since) / 1_000;
        this.#sayNowAndThen();
        await pause(0);
      } while (!this.#isOver(endsAt));
    } finally {
      await redis.stop();
      await postgres.stop();
    }
  }

  #sayNowAndThen(): void {
    if (performance.now() - this.#saidAt < 1_000 * sayEverySeconds) return;
    this.#save();
    this.#say(describeProgress(this.state));
  }

  #save(): void {
    const { stateFile } = this.#options;
    if (stateFile !== undefined) writeState(stateFile, this.state);
  }

  #say(text: string): void {
    this.#saidAt = performance.now();
    process.stdout.write(`${text}\n`);
  }
}
