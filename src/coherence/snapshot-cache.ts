import type { Clock } from "../clock.ts";
import { type Deadline, within } from "../deadline.ts";
import { ByokError, isByokError } from "../errors.ts";
import type { CacheCipher } from "../keyring/cache-cipher.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { CacheEvent, SnapshotOrigin } from "./cache-event.ts";
import { ChangeFeed } from "./change-feed.ts";
import { Flights, type Landed } from "./flights.ts";
import { type HeldSnapshot, openKeys, reopenKeys, unopened } from "./held-snapshot.ts";
import type { Moment } from "./moment.ts";
import { SharedSnapshots } from "./shared-snapshots.ts";
import { SnapshotReads } from "./snapshot-reads.ts";
import { WorkerMemory } from "./worker-memory.ts";

export interface SnapshotCacheOptions {
  readonly store: KeyStore;
  readonly keyring: Keyring;
  /** The cache that workers share, and what seals its entries. */
  readonly shared: { readonly cache: KeyCache; readonly cipher: CacheCipher } | undefined;
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
  readonly held: HeldSnapshot;
  /** Milliseconds past its lease, at least 1 once that has ended; 0 within it. */
  readonly overdueMs: number;
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
  readonly #reads: SnapshotReads;
  readonly #flights: Flights;
  #isClosed = false;

  constructor(options: SnapshotCacheOptions) {
    const { store, shared, clock, leaseMs, maxOrgs, pollMs, readLimitMs, onEvent } = options;
    this.#options = options;
    const memory = new WorkerMemory(clock, leaseMs, maxOrgs);
    const windowMs = shared?.cache.maxAgeMs ?? 0;
    const feed = new ChangeFeed({ store, memory, clock, pollMs, windowMs, limitMs: readLimitMs, onEvent });
    const flights = new Flights(memory.history, (orgId, generation) => this.#land(orgId, generation));
    const isFilling = (orgId: string): boolean => flights.has(orgId);
    this.memory = memory;
    this.feed = feed;
    this.shared = shared && new SharedSnapshots({ ...shared, clock, memory, feed, isFilling, onEvent });
    this.#flights = flights;
    this.#reads = new SnapshotReads(store, clock, readLimitMs);
  }

  get flights(): number {
    return this.#flights.size;
  }

  /** The answer that needs no wait, if there is one. */
  hit(orgId: string, request: SnapshotRequest): SnapshotAnswer | undefined {
    const held = this.memory.find(orgId);
    if (held === undefined || !this.#isUsable(held, request)) return undefined;
    return unopened(held, request.providers).length === 0 ? this.#used(held, "memory") : undefined;
  }

  /** Reads until the use rule lets an answer through or the deadline ends. */
  async read(orgId: string, request: SnapshotRequest, deadline: Deadline): Promise<SnapshotAnswer> {
    let landed: Landed | undefined;
    let hasReopened = false;
    let pauseMs = unseenPauseMs;
    for (;;) {
      deadline.throwIfEnded();
      const held = this.memory.find(orgId) ?? landed?.held;
      if (held !== undefined && this.#isUsable(held, request)) {
        if (hasReopened || unopened(held, request.providers).length === 0) {
          return this.#used(held, landed?.from ?? "memory");
        }
        hasReopened = true;
        await deadline.race(reopenKeys(this.#options.keyring, held, request.providers));
        continue;
      }
      const overdue = this.feed.failures > 0 ? this.#overdue(orgId, request) : undefined;
      if (overdue !== undefined) {
        this.#flights.of(orgId).catch(() => {});
        return overdue;
      }
      try {
        landed = await deadline.race(this.#flights.of(orgId));
        if (landed === undefined) await deadline.race(this.feed.poll());
        else if (!this.#shows(landed.held, request.atLeast)) {
          // The shared cache goes on giving an entry of before until the log has said that it is outdated.
          await deadline.race(this.feed.poll());
          if (this.#shows(landed.held, request.atLeast)) continue;
          await deadline.pause(pauseMs);
          pauseMs = Math.min(2 * pauseMs, maxUnseenPauseMs);
        }
      } catch (error) {
        const fallback = isByokError(error) && error.code !== "closed" ? this.#overdue(orgId, request) : undefined;
        if (fallback === undefined) throw error;
        return fallback;
      }
    }
  }

  /** What was last known and no known change outdates, however long its lease has ended. Nothing is promised of its age. */
  lastKnown(orgId: string, atLeast: number): SnapshotAnswer | undefined {
    const held = this.memory.find(orgId);
    if (held === undefined || !this.#shows(held, atLeast)) return undefined;
    const overdueMs = this.memory.overdueMs(held);
    return { held, overdueMs: overdueMs < 0 ? 0 : Math.max(overdueMs, 1) };
  }

  close(): void {
    this.#isClosed = true;
    this.feed.close();
    this.shared?.close();
    this.memory.clear();
  }

  #isUsable(held: HeldSnapshot, request: SnapshotRequest): boolean {
    return this.memory.mayBeHandedOut(held) && this.#shows(held, request.atLeast);
  }

  /** A snapshot that is admitted is true for every change that this worker has read of. */
  #shows(held: HeldSnapshot, seq: number): boolean {
    return Math.max(held.snap, this.memory.history.lastSeq) >= seq;
  }

  #used(held: HeldSnapshot, from: SnapshotOrigin): SnapshotAnswer {
    this.#options.onEvent({ type: "snapshot_used", orgId: held.orgId, from });
    return { held, overdueMs: 0 };
  }

  #overdue(orgId: string, request: SnapshotRequest): SnapshotAnswer | undefined {
    const known = this.lastKnown(orgId, request.atLeast);
    return known !== undefined && request.acceptsOverdue(known) ? known : undefined;
  }

  async #land(orgId: string, generation: number): Promise<Landed | undefined> {
    const shared = await this.shared?.find(orgId, generation);
    if (shared?.held !== undefined && this.#install(shared.held)) return { held: shared.held, from: "cache" };
    const held = await this.#fromStore(orgId, generation);
    if (held === undefined) return undefined;
    if (shared?.mayReplace) this.shared?.keep(held);
    return { held, from: "store" };
  }

  async #fromStore(orgId: string, generation: number): Promise<HeldSnapshot | undefined> {
    const { keyring, clock, readLimitMs, onEvent } = this.#options;
    const { snapshot, sentAt } = await this.#reads.read(orgId);
    const opening = openKeys(keyring, snapshot);
    const keys = await within(clock, readLimitMs, opening, () => slowKeyring(orgId));
    const { incarnation, snap, mark } = snapshot;
    const held: HeldSnapshot = { orgId, incarnation, generation, snap, mark, readAt: sentAt, keys };
    this.memory.history.hear(snapshot, generation, sentAt, clock.monotonicMs());
    if ((await this.#isCertain(held, sentAt)) && this.#install(held)) return held;
    if (!this.#isClosed) onEvent({ type: "snapshot_refused", orgId });
    return undefined;
  }

  /** Where there is doubt the log decides, read once more: it shows the row that the snapshot was read at, or another. */
  async #isCertain(held: HeldSnapshot, sentAt: Moment): Promise<boolean> {
    const { history } = this.memory;
    if (!history.isDoubtful(held, sentAt)) return true;
    await this.feed.pollAnew().catch(() => {});
    return history.hasRead(held);
  }

  #install(held: HeldSnapshot): boolean {
    if (this.#isClosed || !this.memory.install(held)) return false;
    this.shared?.listen();
    this.feed.follow();
    return true;
  }
}

function slowKeyring(orgId: string): ByokError {
  return new ByokError("store_unavailable", "The keyring did not open a key in time. Check the key service.", {
    orgId,
  });
}
