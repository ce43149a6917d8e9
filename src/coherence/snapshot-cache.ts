import type { Clock } from "../clock.ts";
import type { Deadline } from "../deadline.ts";
import type { EntryCipher } from "../keyring/entry-cipher.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { CacheEvent, SnapshotOrigin } from "./cache-event.ts";
import { ChangeFeed } from "./change-feed.ts";
import { InFlightReads } from "./in-flight-reads.ts";
import { listUnopened, type OpenedSnapshot } from "./opened-snapshot.ts";
import { SharedSnapshots } from "./shared-snapshots.ts";
import { type SnapshotAnswer, SnapshotAnswers, type SnapshotRequest } from "./snapshot-answers.ts";
import { SnapshotAttempt, type SnapshotAttemptOptions } from "./snapshot-attempt.ts";
import { SnapshotBatcher } from "./snapshot-batcher.ts";
import { SnapshotLoader } from "./snapshot-loader.ts";
import { WorkerMemory } from "./worker-memory.ts";

export interface SnapshotCacheOptions {
  readonly store: KeyStore;
  readonly keyring: Keyring;
  /** The cache that workers share, and what seals its entries. */
  readonly shared: { readonly cache: KeyCache; readonly cipher: EntryCipher } | undefined;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly maxOrgs: number;
  /** The longest that one read of the store may take, opening included. */
  readonly readLimitMs: number;
  readonly onEvent: (event: CacheEvent) => void;
}

/** Hands out organisations' snapshots: from memory, else from the shared cache, else from the store. */
export class SnapshotCache {
  readonly memory: WorkerMemory;
  readonly feed: ChangeFeed;
  readonly shared: SharedSnapshots | undefined;
  readonly #answers: SnapshotAnswers;
  readonly #attempts: SnapshotAttemptOptions;
  readonly #loader: SnapshotLoader;
  readonly #reads: InFlightReads;

  constructor(options: SnapshotCacheOptions) {
    const { store, keyring, shared, clock, leaseMs, maxOrgs, pollMs, readLimitMs: limitMs, onEvent } = options;
    const memory = new WorkerMemory(clock, leaseMs, maxOrgs);
    const windowMs = shared?.cache.maxAgeMs ?? 0;
    const feed = new ChangeFeed({ store, memory, clock, pollMs, windowMs, limitMs, onEvent });
    const isFilling = (orgId: string | null): boolean =>
      orgId === null ? this.#reads.size > 0 : this.#reads.has(orgId);
    this.memory = memory;
    this.feed = feed;
    this.shared = shared && new SharedSnapshots({ ...shared, clock, memory, feed, isFilling, onEvent });
    const batcher = new SnapshotBatcher(store, clock, limitMs);
    this.#loader = new SnapshotLoader({ memory, feed, shared: this.shared, batcher, keyring, clock, limitMs, onEvent });
    this.#reads = new InFlightReads(memory.history, (orgId, generation) => this.#loader.load(orgId, generation));
    this.#answers = new SnapshotAnswers({ memory, feed, onEvent });
    this.#attempts = { answers: this.#answers, feed, reads: this.#reads, keyring };
  }

  /** Organisations that are being read. */
  get reads(): number {
    return this.#reads.size;
  }

  /** Whether the database seems to be away: its log could not be read last time. */
  get isAway(): boolean {
    return this.#answers.isAway;
  }

  /** The answer that needs no wait, if there is one. */
  hit(orgId: string, request: SnapshotRequest): SnapshotAnswer | undefined {
    const snapshot = this.memory.find(orgId);
    if (snapshot === undefined || !this.#answers.satisfies(snapshot, request)) return undefined;
    return listUnopened(snapshot, request.providers).length === 0 ? this.#answers.use(snapshot, "memory") : undefined;
  }

  /**
   * What may be used of an organisation in this very turn; `held` is what a call holds of it, which memory may have forgotten.
   * Counts as no use.
   */
  peek(orgId: string, held: OpenedSnapshot | undefined): OpenedSnapshot | undefined {
    return this.memory.findFresh(orgId, held);
  }

  /** Tells that a call was served with what {@link SnapshotCache.peek} has given. */
  tellUse(orgId: string, from: SnapshotOrigin): void {
    this.#answers.tellUse(orgId, from);
  }

  /** Reads behind everybody's back. */
  readBehind(orgId: string): void {
    this.#reads.joinBehind(orgId);
  }

  /** Reads until the use rule lets an answer through or the deadline ends. */
  async read(orgId: string, request: SnapshotRequest, deadline: Deadline): Promise<SnapshotAnswer> {
    return await new SnapshotAttempt(this.#attempts, orgId, request, deadline).run();
  }

  /** What was last known and no known change outdates, however long its lease has ended. Nothing is promised of its age. */
  lastKnown(orgId: string, atLeast: number): SnapshotAnswer | undefined {
    return this.#answers.lastKnown(orgId, atLeast);
  }

  close(): void {
    this.#loader.close();
    this.feed.close();
    this.shared?.close();
    this.memory.clear();
  }
}
