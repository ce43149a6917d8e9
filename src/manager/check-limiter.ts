import type { Clock } from "../clock.ts";
import { positiveWhole } from "../option-kinds.ts";
import { type OptionRules, readOptions } from "../read-options.ts";
import { checksLimited } from "./manager-errors.ts";

/**
 * How often one organisation may have keys of one provider checked. Kept in memory: N processes allow N times as much.
 */
export interface CheckLimits {
  /** Checks that may follow one another without a pause; each is there again after a minute's share. @default 20 */
  readonly perMinute?: number | undefined;
  /** Checks under way at the same time. @default 3 */
  readonly atOnce?: number | undefined;
}

const rules: OptionRules<CheckLimits> = { perMinute: positiveWhole, atOnce: positiveWhole };

interface Bucket {
  /** Checks that were left at `atMs`. */
  left: number;
  atMs: number;
  underWay: number;
}

/** After it every bucket is full, whatever was taken before. */
const minuteMs = 60_000;
/** It is not known when one of the checks under way will end. */
const busyRetryMs = 1_000;
/** Under five megabytes; enough for 160 organisations a second that each check a key for the first time in a minute. */
const defaultMaxBuckets = 10_000;

/**
 * A bucket of checks for each organisation and provider. A bucket is forgotten once it is full, and never sooner. While
 * there are `maxBuckets` that are not, an organisation that has none has to wait; those that have one are not touched.
 */
export class CheckLimiter {
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #atOnce: number;
  readonly #maxBuckets: number;
  /** Sorted by `atMs`: a bucket that is taken from moves to the end. */
  readonly #buckets = new Map<string, Bucket>();

  /** @throws ByokError `options_invalid` */
  constructor(clock: Clock, limits?: CheckLimits, maxBuckets: number = defaultMaxBuckets) {
    const { perMinute = 20, atOnce = 3 } = readOptions("checkLimits", limits, rules);
    this.#clock = clock;
    this.#perMinute = perMinute;
    this.#atOnce = atOnce;
    this.#maxBuckets = maxBuckets;
  }

  /** Buckets that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Begins a check, which the returned function ends; call it once.
   *
   * @throws ByokError `checks_limited`, with `retryAfterMs`; nothing is taken then.
   */
  begin(orgId: string, provider: string): () => void {
    const nowMs = this.#clock.monotonicMs();
    this.#forgetFull(nowMs);
    const name = JSON.stringify([orgId, provider]);
    const bucket = this.#buckets.get(name) ?? { left: this.#perMinute, atMs: nowMs, underWay: 0 };
    const left = this.#refill(bucket, nowMs);
    const waitMs = Math.max(this.#refillMs(left), this.#busyMs(bucket), this.#crowdedMs(name, nowMs));
    if (waitMs > 0) throw checksLimited(orgId, provider, Math.ceil(waitMs));
    bucket.left = left - 1;
    bucket.atMs = nowMs;
    bucket.underWay += 1;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    return () => {
      bucket.underWay -= 1;
    };
  }

  #refill({ left, atMs }: Bucket, nowMs: number): number {
    return Math.min(this.#perMinute, left + ((nowMs - atMs) * this.#perMinute) / minuteMs);
  }

  /** Until one check is there. */
  #refillMs(left: number): number {
    return ((1 - left) * minuteMs) / this.#perMinute;
  }

  #busyMs({ underWay }: Bucket): number {
    return underWay < this.#atOnce ? 0 : busyRetryMs;
  }

  /** Until there is room for a bucket of that name. */
  #crowdedMs(name: string, nowMs: number): number {
    if (this.#buckets.size < this.#maxBuckets || this.#buckets.has(name)) return 0;
    const [oldest] = this.#buckets.values();
    return Math.max(busyRetryMs, (oldest?.atMs ?? nowMs) + minuteMs - nowMs);
  }

  #forgetFull(nowMs: number): void {
    for (const [name, { atMs, underWay }] of this.#buckets) {
      if (nowMs - atMs < minuteMs || underWay > 0) return;
      this.#buckets.delete(name);
    }
  }
}
