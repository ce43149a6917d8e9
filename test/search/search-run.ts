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
  /** How many violations the search had that this one goes on with. */
  readonly #before: number;
  #isStopped = false;
  #saidAt: number = performance.now();

  constructor(options: SearchOptions) {
    this.#options = options;
    this.state = options.isResumed ? readState(options.stateFile) : beginState(options.seed);
    this.#before = this.state.violations.length;
    this.#endsAt = performance.now() + 1_000 * options.seconds;
  }

  /** What is being played ends first. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Ends with its time, when it is stopped, or with its fiftieth violation; of real servers alone with the first. */
  async untilItsEnd(): Promise<SearchState> {
    const { share, seconds, stateFile } = this.#options;
    const round = Math.min(roundSeconds, seconds);
    for (let rounds = 0; !this.#isOver(this.#endsAt); rounds += 1) {
      if (share < 1) await this.#playModel((1 - share) * round);
      if (share > 0 && !this.#isOver(this.#endsAt)) await this.#searchServers(share * round);
      writeState(stateFile, this.state);
      if (rounds % 6 === 5) this.#say(describeSearch(this.state).join("\n"));
    }
    writeState(stateFile, this.state);
    return this.state;
  }

  #isOver(endsAt: number): boolean {
    const isFull = this.state.violations.length - this.#before >= (this.#options.share === 1 ? 1 : maxViolations);
    return this.#isStopped || isFull || performance.now() >= endsAt;
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
        addBatch(this.state, await player.play({ first, count: batchSize }));
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
        addSchedule(this.state, seed, await runSchedule(servers, seed));
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
    writeState(this.#options.stateFile, this.state);
    this.#say(describeProgress(this.state));
  }

  #say(text: string): void {
    this.#saidAt = performance.now();
    process.stdout.write(`${text}\n`);
  }
}
