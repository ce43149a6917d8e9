import { randomUUID } from "node:crypto";
import pg from "pg";
import type { Clock } from "../../src/clock.ts";
import { systemClock } from "../../src/clock.ts";
import {
  ByokError,
  createKeyManager,
  createKeyring,
  generateKeyring,
  type Keyring,
  type Provider,
  type Resolver,
} from "../../src/index.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import { redisCache } from "../../src/shared-cache/redis-cache.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { Calls } from "../faults/calls.ts";
import { judge } from "../faults/run-fault.ts";
import { Truth } from "../faults/truth.ts";
import { type Forwarder, forwarder } from "../servers/forwarder.ts";
import { failFastRedis } from "../servers/redis-server.ts";
import { ada } from "../support/ada.ts";
import { RedisAttacker } from "./redis-attacker.ts";

export const leaseMs = 1_000;
const deadlineMs = 1_000;
/** How long after its faults a deployment may take to serve everything again, in milliseconds: twice the longest pause. */
const healedWithinMs = 15_000;
/** How long a worker may take to read a long log, in milliseconds: more than one deadline. */
const readyWithinMs = 30_000;

/** What a schedule draws before it begins. */
export interface Parameters {
  /** Of every round trip to the database, of a worker's and of the manager's, in milliseconds. */
  readonly workerRttMs: number;
  readonly managerRttMs: number;
  readonly poolSize: number;
  readonly organisations: number;
  /** How many changes the log holds before anything begins. */
  readonly pastChanges: number;
  /** How many organisations a worker holds in memory. */
  readonly maxOrgs: number;
}

export interface Servers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/** A worker, and what stands between it and its servers. */
interface Worker {
  readonly resolver: Resolver<typeof ada>;
  readonly calls: Calls;
  readonly database: Forwarder;
  readonly redis: Forwarder;
  readonly clock: SkewedClock;
  readonly pool: pg.Pool;
}

/** A wall clock that jumps; the monotonic one does not. */
class SkewedClock implements Clock {
  skewMs = 0;
  readonly monotonicMs = systemClock.monotonicMs;
  readonly random = systemClock.random;
  readonly schedule = systemClock.schedule;
  wallMs(): number {
    return systemClock.wallMs() + this.skewMs;
  }
}

/** Two workers and a manager on real servers, each behind links of its own that a schedule breaks and mends. */
export class LiveWorld {
  readonly workers: Worker[] = [];
  readonly violations: string[] = [];
  readonly seen = new Map<string, number>();
  readonly #servers: Servers;
  readonly #parameters: Parameters;
  readonly #database: string;
  readonly #prefix = `${randomUUID()}:`;
  readonly #keyring = generateKeyring("kek-1");
  readonly #closing: (() => unknown)[] = [];
  readonly #admin: pg.Pool;
  #truth: Truth | undefined;
  #managerLink: Forwarder | undefined;
  readonly #attacker: RedisAttacker;
  #isKeyringAway = false;
  #turn = 0;

  private constructor(servers: Servers, parameters: Parameters) {
    this.#servers = servers;
    this.#parameters = parameters;
    this.#database = `search_${randomUUID().replaceAll("-", "")}`;
    this.#admin = new pg.Pool({ connectionString: servers.databaseUrl, max: 1 });
    this.#attacker = new RedisAttacker(servers.redisUrl, this.#prefix);
    this.#closing.push(
      () => this.#admin.end(),
      () => this.#admin.query(`DROP DATABASE IF EXISTS ${this.#database} WITH (FORCE)`),
      () => this.#attacker.close(),
    );
  }

  static async open(servers: Servers, parameters: Parameters): Promise<LiveWorld> {
    const world = new LiveWorld(servers, parameters);
    try {
      await world.#begin();
    } catch (error) {
      await world.close().catch(() => {});
      throw error;
    }
    return world;
  }

  /** Has Redis itself, beside what the workers may do with it. */
  get attacker(): RedisAttacker {
    return this.#attacker;
  }

  /** A worker's key service answers no more, until everything is mended. */
  loseKeyring(): void {
    this.#isKeyringAway = true;
  }

  /** Calls whose callers go away in the middle of them. */
  giveUp(afterMs: number): void {
    for (const { resolver } of this.workers)
      for (const orgId of this.#orgIds) {
        const signal = AbortSignal.timeout(afterMs);
        resolver.resolve(orgId, { llm_config: { provider: "ada" } }, { signal }).catch(() => {});
      }
  }

  get managerLink(): Forwarder {
    return this.#managerLink as Forwarder;
  }

  /** Changes some organisation's key. That it fails while a link is broken is no violation. */
  async change(): Promise<boolean> {
    const orgId = this.#orgIds[this.#turn++ % this.#orgIds.length] as string;
    return await (this.#truth as Truth).change(orgId).then(
      () => true,
      () => false,
    );
  }

  /** Ends every backend of this deployment, as an operator or a failover does. */
  async endBackends(): Promise<void> {
    const text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
    await this.#admin.query(text, [this.#database]);
  }

  /** What belongs to others: the server's backends, attempts to connect, and calls that wait for a place. */
  async inspect(): Promise<void> {
    const text = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = $1";
    const { rows } = await this.#admin.query(text, [this.#database]);
    const most = 3 * this.#parameters.poolSize;
    // A connection that is being closed while its successor opens stands beside it for a moment.
    if (rows[0].count > 2 * most) this.violations.push(`${rows[0].count} backends of pools of ${most} together`);
    for (const { pool } of this.workers) {
      if (pool.waitingCount > 250) this.violations.push(`${pool.waitingCount} calls wait for a connection`);
    }
  }

  /** Mends every link. */
  heal(): void {
    this.#isKeyringAway = false;
    const { port: database } = new URL(this.#servers.databaseUrl);
    const { port: redis } = new URL(this.#servers.redisUrl);
    for (const worker of this.workers) {
      worker.database.pass();
      worker.database.sendNewTo(Number(database));
      worker.redis.pass();
      worker.redis.sendNewTo(Number(redis));
    }
    this.managerLink.pass();
    this.managerLink.sendNewTo(Number(database));
  }

  /** Liveness: after its faults everything is served again, without a restart and within a bound. Returns how long it took. */
  async awaitHealth(): Promise<number> {
    const since = performance.now();
    const limit = since + healedWithinMs;
    while (performance.now() < limit) {
      const isChanged = await this.change();
      const health = this.workers.map(({ resolver }) => resolver.health());
      const calls = this.workers.flatMap(({ resolver }) =>
        this.#orgIds.map((orgId) => resolver.resolve(orgId, { llm_config: { provider: "ada" } }, { deadlineMs })),
      );
      const answers = await Promise.allSettled(calls);
      const isServed = answers.every(({ status }) => status === "fulfilled");
      const isUp = health.every(({ isReady, cache }) => isReady && cache === "up");
      if (isChanged && isServed && isUp) return performance.now() - since;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const health = JSON.stringify(this.workers.map(({ resolver }) => resolver.health()));
    this.violations.push(`not healed within ${healedWithinMs} ms: ${health}`);
    return healedWithinMs;
  }

  /** Safety: nothing was handed out that was wrong or too old, and every call ended. */
  judgeCalls(): number {
    let resolves = 0;
    for (const { calls } of this.workers) {
      const { outcomes, open, events } = calls.report();
      const now = Number(process.hrtime.bigint()) / 1e6;
      const stuck = open.filter(({ startedAt }) => now - startedAt > 2 * deadlineMs);
      const { wrong, failed } = judge({ truth: this.#truth as Truth, leaseMs }, outcomes, []);
      this.violations.push(...wrong, ...stuck.map(({ orgId }) => `a call of ${orgId} never ended`));
      for (const code of Object.keys(failed)) {
        if (!["store_unavailable", "deadline_exceeded", "keyring_unavailable"].includes(code))
          this.violations.push(`a call failed with ${code}`);
      }
      for (const name of Object.keys(events)) this.seen.set(name, (this.seen.get(name) ?? 0) + 1);
      resolves += outcomes.length;
    }
    return resolves;
  }

  /** Closes everything, what comes behind a failure as well, and fails with the first. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closing.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  get #orgIds(): string[] {
    return Array.from({ length: this.#parameters.organisations }, (_, at) => `org-${at}`);
  }

  async #begin(): Promise<void> {
    await this.#admin.query(`CREATE DATABASE ${this.#database}`);
    const { managerRttMs, workerRttMs, pastChanges } = this.#parameters;
    const direct = this.#urlOf();
    const owner = new pg.Client({ connectionString: direct });
    await owner.connect();
    const ownerPool = new pg.Pool({ connectionString: direct, max: 1 });
    await postgresStore({ pool: ownerPool, timeoutMs: 20_000 }).migrate();
    await ownerPool.end();
    await owner.query(`INSERT INTO byok_log (seq, org_id, change_id, at_ms)
      SELECT seq, 'past', gen_random_uuid()::text, ${Date.now()} FROM generate_series(1, ${pastChanges}) seq;
      UPDATE byok_clock SET seq = ${pastChanges}`);
    await owner.end();
    this.#managerLink = await this.#link(this.#servers.databaseUrl, managerRttMs);
    const pool = this.#pool(this.#managerLink);
    const redis = failFastRedis(this.#servers.redisUrl);
    this.#closing.push(() => redis.disconnect());
    const providers: readonly Provider[] = [ada];
    const store = postgresStore({ pool, timeoutMs: 1_000 });
    const keyring = createKeyring(this.#keyring);
    const cache = redisCache({ redis, prefix: this.#prefix });
    this.#truth = new Truth(createKeyManager({ store, keyring, cache, providers, leaseMs, deadlineMs: 2_000 }));
    for (let at = 0; at < 2; at += 1) this.workers.push(await this.#startWorker(workerRttMs));
  }

  async #startWorker(rttMs: number): Promise<Worker> {
    const database = await this.#link(this.#servers.databaseUrl, rttMs);
    const redisLink = await this.#link(this.#servers.redisUrl, 0);
    const pool = this.#pool(database);
    const redisUrl = new URL(this.#servers.redisUrl);
    redisUrl.port = String(redisLink.port);
    const redis = failFastRedis(redisUrl.href);
    const clock = new SkewedClock();
    const calls = new Calls(deadlineMs, true);
    const resolver = createResolverOn<typeof ada>(clock, {
      store: postgresStore({ pool, timeoutMs: 800 }),
      keyring: this.#workerKeyring(),
      cache: redisCache({ redis, prefix: this.#prefix }),
      maxOrgs: this.#parameters.maxOrgs,
      providers: [ada],
      platformKeys: { ada: "platform" },
      leaseMs,
      pollMs: 250,
      deadlineMs,
      onEvent: (event) => calls.heard(event),
    });
    this.#closing.push(async () => {
      await resolver.close();
      redis.disconnect();
    });
    await untilReady(resolver);
    calls.orgIds = this.#orgIds;
    this.#closing.push(calls.begin(resolver));
    return { resolver, calls, database, redis: redisLink, clock, pool };
  }

  #workerKeyring(): Keyring {
    const keyring = createKeyring(this.#keyring);
    return {
      seal: (key, context) => keyring.seal(key, context),
      open: async (sealed, context) => {
        if (this.#isKeyringAway) throw new ByokError("keyring_unavailable", "The key service is away. Mend it.");
        return await keyring.open(sealed, context);
      },
      ...(keyring.entryCipher && { entryCipher: keyring.entryCipher }),
    };
  }

  async #link(to: string, rttMs: number): Promise<Forwarder> {
    const link = await forwarder(Number(new URL(to).port), rttMs / 2);
    this.#closing.push(() => link.close());
    return link;
  }

  #urlOf(port?: number): string {
    const url = new URL(this.#servers.databaseUrl);
    url.pathname = `/${this.#database}`;
    if (port !== undefined) url.port = String(port);
    return url.href;
  }

  /** As docs/scaling.md builds it. */
  #pool(link: Forwarder): pg.Pool {
    const max = this.#parameters.poolSize;
    const pool = new pg.Pool({ connectionString: this.#urlOf(link.port), max, connectionTimeoutMillis: 3_000 });
    pool.on("error", () => {});
    this.#closing.push(() => Promise.race([pool.end(), new Promise((resolve) => setTimeout(resolve, 2_000))]));
    return pool;
  }
}

async function untilReady(resolver: Resolver<typeof ada>): Promise<void> {
  const limit = performance.now() + readyWithinMs;
  for (;;) {
    try {
      return await resolver.ready();
    } catch (error) {
      if (performance.now() > limit) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
