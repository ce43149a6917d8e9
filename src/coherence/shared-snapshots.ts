import type { Clock } from "../clock.ts";
import { within } from "../deadline.ts";
import type { EntryCipher } from "../keyring/entry-cipher.ts";
import { CacheCircuitBreaker } from "../shared-cache/cache-circuit-breaker.ts";
import type { ChangeNotice, KeyCache } from "../shared-cache/key-cache.ts";
import { NoticeListener } from "../shared-cache/notice-listener.ts";
import type { CacheEvent, EntryRefusedReason } from "./cache-event.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { OpenedSnapshot } from "./opened-snapshot.ts";
import { SnapshotCodec } from "./snapshot-codec.ts";
import type { WorkerMemory } from "./worker-memory.ts";

export interface SharedSnapshotsOptions {
  readonly cache: KeyCache;
  readonly cipher: EntryCipher;
  readonly clock: Clock;
  readonly memory: WorkerMemory;
  readonly feed: ChangeFeed;
  /** Whether a read of the organisation is under way; `null`: of any. */
  readonly isFilling: (orgId: string | null) => boolean;
  readonly onEvent: (event: CacheEvent) => void;
}

/** What the shared cache has. `mayReplace`: whether a newer snapshot may take the entry's place. */
export interface SharedAnswer {
  readonly snapshot: OpenedSnapshot | undefined;
  readonly mayReplace: boolean;
}

/** How long a first call waits for the log to be read back before it asks the store itself, in milliseconds. */
const bootWaitMs = 400;

const nothing: SharedAnswer = { snapshot: undefined, mayReplace: true };

/** Snapshots and change notices in the cache that workers share. What it finds is still to be judged by the use rule. */
export class SharedSnapshots {
  readonly #options: SharedSnapshotsOptions;
  readonly #breaker: CacheCircuitBreaker;
  readonly #codec: SnapshotCodec;
  readonly #listener: NoticeListener;

  constructor(options: SharedSnapshotsOptions) {
    const { cache, cipher, clock, memory, feed, isFilling, onEvent } = options;
    this.#options = options;
    this.#breaker = new CacheCircuitBreaker(cache, clock, {
      onChange: (isUp) => onEvent({ type: isUp ? "cache_up" : "cache_down" }),
      onFailure: (failure) => onEvent({ type: "cache_failed", ...failure }),
    });
    this.#codec = new SnapshotCodec(cipher);
    this.#listener = new NoticeListener(cache, clock, (notice) => this.#follow(notice));
    feed.matters = (orgId) => memory.holds(orgId) || isFilling(orgId);
    feed.onScheduledPoll = (after, upTo) => {
      if (!this.#listener.judge(after, upTo)) return;
      onEvent({ type: "subscription_renewed" });
      feed.pollSoon(Number.POSITIVE_INFINITY);
    };
  }

  get isUp(): boolean {
    return this.#breaker.isUp;
  }

  listen(): void {
    this.#listener.listen();
  }

  close(): void {
    this.#breaker.close();
    this.#listener.close();
  }

  /** An entry has no lease of its own: without the worker's it is not even asked for. */
  async find(orgId: string, generation: number): Promise<SharedAnswer> {
    const { memory, feed, clock } = this.#options;
    if (memory.history.following === undefined) await within(clock, bootWaitMs, feed.poll(), ignored).catch(() => {});
    if (memory.leaseLeftMs() === 0) {
      // This call goes to the store; those after it find a lease again.
      feed.poll().catch(() => {});
      return nothing;
    }
    const entry = await this.#breaker.get(orgId);
    if (entry === undefined) return nothing;
    const cached = this.#codec.open(orgId, entry);
    if (typeof cached === "string") return this.#refuse(orgId, cached);
    if (!memory.history.hasReadUpTo(cached.asOf)) await feed.pollAnew().catch(() => {});
    if (memory.history.isOutdated(cached)) return this.#refuse(orgId, "outdated");
    if (!memory.history.hasRead(cached)) return this.#refuse(orgId, "other_history");
    return { snapshot: { ...cached, generation, readAt: undefined, made: undefined }, mayReplace: true };
  }

  /** Written behind the call's back: whether it succeeds changes nothing. */
  keep(snapshot: OpenedSnapshot): void {
    if (!this.#breaker.isUp) return;
    const entry = this.#codec.seal(snapshot);
    if (entry !== undefined) void this.#breaker.set(snapshot.orgId, entry);
  }

  /** Time is all that a forged notice can cost, and only for an organisation that matters here. */
  #follow({ orgId, seq }: ChangeNotice): void {
    const { memory, feed, isFilling } = this.#options;
    const isNews = seq === null || !memory.history.hasReadUpTo(seq);
    const matters = orgId === null ? !memory.isIdle || isFilling(null) : feed.matters(orgId);
    if (isNews && matters) feed.pollSoon(seq ?? Number.POSITIVE_INFINITY);
  }

  #refuse(orgId: string, reason: EntryRefusedReason): SharedAnswer {
    this.#options.onEvent({ type: "entry_refused", orgId, reason });
    return { snapshot: undefined, mayReplace: reason !== "unknown_kid" };
  }
}

const ignored = (): Error => new Error("The log is long.");
