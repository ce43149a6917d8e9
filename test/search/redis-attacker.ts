import type { Redis } from "ioredis";
import { failFastRedis } from "../servers/redis-server.ts";

/** Has Redis itself: wipes it, brings old entries back, changes them, and publishes what it likes. */
export class RedisAttacker {
  readonly #redis: Redis;
  readonly #prefix: string;
  /** Entries as they stood when they were looked at last. */
  #kept: readonly (readonly [name: string, entry: Buffer])[] = [];

  constructor(url: string, prefix: string) {
    this.#redis = failFastRedis(url);
    this.#redis.on("error", () => {});
    this.#prefix = prefix;
  }

  async wipe(): Promise<void> {
    await this.#redis.flushall();
  }

  /** What stood there the last time is there again, as after a failover to a replica that lags. */
  async revive(): Promise<void> {
    const older = this.#kept;
    this.#kept = await this.#entries();
    for (const [name, entry] of older.length > 0 ? older : this.#kept) await this.#redis.set(name, entry);
  }

  /** Every entry in the next organisation's place. */
  async exchange(): Promise<void> {
    const entries = await this.#entries();
    for (const [at, [name]] of entries.entries()) {
      await this.#redis.set(name, entries[(at + 1) % entries.length]?.[1] ?? "");
    }
  }

  async spoil(): Promise<void> {
    for (const [at, [name, entry]] of (await this.#entries()).entries()) {
      const place = (7 * at + 11) % Math.max(1, entry.length);
      entry[place] = (entry[place] ?? 0) ^ 1;
      await this.#redis.set(name, at % 3 === 2 ? entry.subarray(0, place) : entry);
    }
  }

  /** Many notices of changes that there are not, and some that are no notice. */
  async forge(): Promise<void> {
    for (let at = 0; at < 200; at += 1) {
      const notice = { org: `org-${at % 8}`, seq: at % 3 === 0 ? null : 1_000_000 + at };
      const text = at % 10 === 0 ? "{" : JSON.stringify(notice);
      await this.#redis.publish(`${this.#prefix}changes`, text);
    }
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #entries(): Promise<(readonly [name: string, entry: Buffer])[]> {
    const names = await this.#redis.keys(`${this.#prefix}keys:*`);
    const values = await Promise.all(names.sort().map((name) => this.#redis.getBuffer(name)));
    return names.flatMap((name, at) => (values[at] == null ? [] : [[name, values[at]] as const]));
  }
}
