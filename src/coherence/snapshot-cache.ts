import type { Clock } from "../clock.ts";
import type { Deadline } from "../deadline.ts";
import { isByokError } from "../errors.ts";
import type { EntryCipher } from "../keyring/entry-cipher.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { CacheEvent, SnapshotOrigin } from "./cache-event.ts";
import { ChangeFeed } from "./change-feed.ts";
import { InFlightReads, type ReadResult } from "./in-flight-reads.ts";
import { listUnopened, type OpenedSnapshot, reopenKeys } from "./opened-snapshot.ts";
import { SharedSnapshots } from "./shared-snapshots.ts";
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

export interface SnapshotRequest {
  /** The providers that the call needs. */
  readonly providers: readonly string[];
  /** The change that the call must see. */
  readonly atLeast: number;
  /** Whether the call may run on a snapshot whose lease has ended, while the store does not answer. */
  acceptsOverdue(answer: SnapshotAnswer): boolean;
}

/** A snapshot to be used in the same synchronous turn. */
export interface SnapshotAnswer {
  readonly snapshot: OpenedSnapshot;
  /** Milliseconds past its lease, at least 1 once that has ended; 0 within it. */
  readonly overdueMs: number;
}

/** One call's way to its answer. */
interface Attempt {
  readonly orgId: string;
  readonly request: SnapshotRequest;
  readonly deadline: Deadline;
  /** What its last read has brought. */
  result: ReadResult | undefined;
  /** Of which snapshot the keys that did not open have been tried again; memory may forget it meanwhile. */
  reopened: OpenedSnapshot | undefined;
  /** Whether a read of its own has failed. */
  hasFailed: boolean;
  /** Before the next read, where the last one missed the change that the call must see. */
  pauseMs: number;
}

/** Between two reads that both miss the change that a call must see: at first, and at most. */
const unseenPauseMs = 25;
const maxUnseenPauseMs = 400;

/** Hands out organisations' snapshots: from memory, else from the shared cache, else from the store. */
export class SnapshotCache {
  readonly memory: WorkerMemory;
  readonly feed: ChangeFeed;
  readonly shared: SharedSnapshots | undefined;
  readonly #options: SnapshotCacheOptions;
  readonly #loader: SnapshotLoader;
  readonly #reads: InFlightReads;

  constructor(options: SnapshotCacheOptions) {
    const { store, keyring, shared, clock, leaseMs, maxOrgs, pollMs, readLimitMs: limitMs, onEvent } = options;
    this.#options = options;
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
  }

  /** Organisations that are being read. */
  get reads(): number {
    return this.#reads.size;
  }

  /** The answer that needs no wait, if there is one. */
  hit(orgId: string, request: SnapshotRequest): SnapshotAnswer | undefined {
    const snapshot = this.memory.find(orgId);
    if (snapshot === undefined || !this.#satisfies(snapshot, request)) return undefined;
    return listUnopened(snapshot, request.providers).length === 0 ? this.#use(snapshot, "memory") : undefined;
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
    this.#options.onEvent({ type: "snapshot_used", orgId, from });
  }

  /** Whether the database seems to be away: its log could not be read last time. */
  get isAway(): boolean {
    return this.feed.failures > 0;
  }

  /** Reads behind everybody's back. */
  readBehind(orgId: string): void {
    this.#reads.join(orgId).catch(() => {});
  }

  /** Reads until the use rule lets an answer through or the deadline ends. */
  async read(orgId: string, request: SnapshotRequest, deadline: Deadline): Promise<SnapshotAnswer> {
    const fresh = { result: undefined, reopened: undefined, hasFailed: false, pauseMs: unseenPauseMs };
    const attempt: Attempt = { orgId, request, deadline, ...fresh };
    deadline.throwIfEnded();
    let answer = this.#answer(attempt);
    while (answer === undefined) {
      await this.#advance(attempt);
      if (!attempt.hasFailed) deadline.throwIfEnded();
      answer = this.#answer(attempt);
    }
    return answer;
  }

  /** What was last known and no known change outdates, however long its lease has ended. Nothing is promised of its age. */
  lastKnown(orgId: string, atLeast: number): SnapshotAnswer | undefined {
    const snapshot = this.memory.find(orgId);
    if (snapshot === undefined || !this.#shows(snapshot, atLeast)) return undefined;
    const overdueMs = this.memory.overdueMs(snapshot);
    return { snapshot, overdueMs: overdueMs < 0 ? 0 : Math.max(overdueMs, 1) };
  }

  close(): void {
    this.#loader.close();
    this.feed.close();
    this.shared?.close();
    this.memory.clear();
  }

  /** What may be handed out in this very turn: what satisfies the rule, or what was last known while the store is away. */
  #answer(attempt: Attempt): SnapshotAnswer | undefined {
    const snapshot = this.#usable(attempt);
    if (snapshot === undefined) return this.#answerWithoutStore(attempt);
    const { request, result, reopened } = attempt;
    const isTried = reopened === snapshot || listUnopened(snapshot, request.providers).length === 0;
    return isTried ? this.#use(snapshot, result?.from ?? "memory") : undefined;
  }

  /** While polls fail the last known answer is given at once, and the read runs behind the call's back. */
  #answerWithoutStore({ orgId, request, hasFailed }: Attempt): SnapshotAnswer | undefined {
    const isAway = hasFailed || this.isAway;
    const answer = isAway ? this.#overdue(orgId, request) : undefined;
    if (answer !== undefined && !hasFailed) this.readBehind(orgId);
    return answer;
  }

  /** The next thing to wait for: keys that are tried again, else a read. */
  async #advance(attempt: Attempt): Promise<void> {
    const { orgId, request, deadline } = attempt;
    const snapshot = this.#usable(attempt);
    if (snapshot !== undefined) {
      attempt.reopened = snapshot;
      return await deadline.race(reopenKeys(this.#options.keyring, snapshot, request.providers));
    }
    try {
      await this.#read(attempt);
    } catch (error) {
      const mayFallBack = isByokError(error) && error.code !== "closed" && this.#overdue(orgId, request) !== undefined;
      if (!mayFallBack) throw error;
      attempt.hasFailed = true;
    }
  }

  async #read(attempt: Attempt): Promise<void> {
    const { orgId, request, deadline } = attempt;
    attempt.result = await deadline.race(this.#reads.join(orgId));
    const snapshot = attempt.result?.snapshot;
    if (snapshot !== undefined && this.#shows(snapshot, request.atLeast)) return;
    // The shared cache goes on giving an outdated entry until the log has said that it is outdated.
    await deadline.race(this.feed.poll());
    if (snapshot === undefined || this.#shows(snapshot, request.atLeast)) return;
    await deadline.pause(attempt.pauseMs);
    attempt.pauseMs = Math.min(2 * attempt.pauseMs, maxUnseenPauseMs);
  }

  #usable({ orgId, request, result }: Attempt): OpenedSnapshot | undefined {
    const snapshot = this.memory.find(orgId) ?? result?.snapshot;
    return snapshot !== undefined && this.#satisfies(snapshot, request) ? snapshot : undefined;
  }

  /** The use rule, and what the call asks for beyond it. */
  #satisfies(snapshot: OpenedSnapshot, { atLeast }: SnapshotRequest): boolean {
    return this.memory.isFresh(snapshot) && this.#shows(snapshot, atLeast);
  }

  /** A snapshot that is admissible is true for every change that this worker has read. */
  #shows({ asOf }: OpenedSnapshot, seq: number): boolean {
    return asOf >= seq || this.memory.history.hasReadUpTo(seq);
  }

  #use(snapshot: OpenedSnapshot, from: SnapshotOrigin): SnapshotAnswer {
    this.tellUse(snapshot.orgId, from);
    return { snapshot, overdueMs: 0 };
  }

  #overdue(orgId: string, request: SnapshotRequest): SnapshotAnswer | undefined {
    const known = this.lastKnown(orgId, request.atLeast);
    return known !== undefined && request.acceptsOverdue(known) ? known : undefined;
  }
}
