import type { Clock } from "../clock.ts";
import type { CacheCipher } from "../keyring/cache-cipher.ts";
import { CacheLink } from "../shared-cache/cache-link.ts";
import { HintListener } from "../shared-cache/hint-listener.ts";
import type { CacheHint, KeyCache } from "../shared-cache/key-cache.ts";
import type { CacheEvent } from "./cache-event.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { HeldSnapshot } from "./held-snapshot.ts";
import { type EntryTrouble, SnapshotCodec } from "./snapshot-codec.ts";
import type { WorkerMemory } from "./worker-memory.ts";

export interface SharedSnapshotsOptions {
  readonly cache: KeyCache;
  readonly cipher: CacheCipher;
  readonly clock: Clock;
  readonly memory: WorkerMemory;
  readonly feed: ChangeFeed;
  /** Whether a read of the organisation is under way. */
  readonly isFilling: (orgId: string) => boolean;
  readonly onEvent: (event: CacheEvent) => void;
}

/** What the shared cache has. `mayReplace`: whether a newer snapshot may take the entry's place. */
export interface SharedAnswer {
  readonly held: HeldSnapshot | undefined;
  readonly mayReplace: boolean;
}

const nothing: SharedAnswer = { held: undefined, mayReplace: true };

/** Snapshots and hints in the cache that workers share. What it finds is still to be judged by the use rule. */
export class SharedSnapshots {
  readonly #options: SharedSnapshotsOptions;
  readonly #link: CacheLink;
  readonly #codec: SnapshotCodec;
  readonly #listener: HintListener;

  constructor(options: SharedSnapshotsOptions) {
    const { cache, cipher, clock, feed, onEvent } = options;
    this.#options = options;
    this.#link = new CacheLink(cache, clock, (isUp) => onEvent({ type: isUp ? "cache_up" : "cache_down" }));
    this.#codec = new SnapshotCodec(cipher);
    this.#listener = new HintListener(cache, clock, (hint) => this.#hinted(hint));
    feed.onScheduledPoll = (after, upTo) => {
      if (!this.#listener.polled(after, upTo)) return;
      onEvent({ type: "subscription_renewed" });
      feed.pollSoon();
    };
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  listen(): void {
    this.#listener.listen();
  }

  close(): void {
    this.#listener.close();
  }

  /** An entry has no lease of its own: without the worker's it is not even asked for. */
  async find(orgId: string, generation: number): Promise<SharedAnswer> {
    const { memory, feed } = this.#options;
    if (!memory.history.isStarted) await feed.poll().catch(() => {});
    if (memory.leaseLeftMs() === 0) {
      // This call goes to the store; those after it find a lease again.
      feed.poll().catch(() => {});
      return nothing;
    }
    const entry = await this.#link.get(orgId);
    if (entry === undefined) return nothing;
    const cached = this.#codec.open(orgId, entry);
    if (typeof cached === "string") return this.#refused(orgId, cached);
    if (cached.snap > memory.history.lastSeq) await feed.pollAnew().catch(() => {});
    if (!memory.history.hasRead(cached)) return this.#refused(orgId, "other_history");
    return { held: { ...cached, generation, readAt: undefined }, mayReplace: true };
  }

  /** Written behind the call's back: whether it succeeds changes nothing. */
  keep(held: HeldSnapshot): void {
    if (!this.#link.isUp) return;
    const entry = this.#codec.seal(held);
    if (entry !== undefined) void this.#link.set(held.orgId, entry);
  }

  /** Time is all that a forged hint can cost, and only for an organisation that matters here. */
  #hinted({ orgId, seq }: CacheHint): void {
    const { memory, feed, isFilling } = this.#options;
    const isNews = seq === null || seq > memory.history.lastSeq;
    if (isNews && (memory.holds(orgId) || isFilling(orgId))) feed.pollSoon();
  }

  #refused(orgId: string, reason: EntryTrouble | "other_history"): SharedAnswer {
    this.#options.onEvent({ type: "entry_refused", orgId, reason });
    return { held: undefined, mayReplace: reason !== "unknown_kid" };
  }
}
