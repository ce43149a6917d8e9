import type { Clock } from "../clock.ts";
import { type Deadline, within } from "../deadline.ts";
import { ByokError, isByokError } from "../errors.ts";
import type { KeyStore } from "../vault/key-store.ts";
import type { Keyring } from "../vault/keyring.ts";
import type { CacheEvent } from "./cache-event.ts";
import { ChangeFeed } from "./change-feed.ts";
import { type HeldSnapshot, openKeys, reopenKeys, unopened } from "./held-snapshot.ts";
import { SnapshotReads } from "./snapshot-reads.ts";
import { WorkerMemory } from "./worker-memory.ts";

export interface SnapshotCacheOptions {
  readonly store: KeyStore;
  readonly keyring: Keyring;
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
  /** Milliseconds past its lease; 0 within it. */
  readonly overdueMs: number;
}

interface Flight {
  readonly fence: number;
  readonly generation: number;
  /** `undefined`: what was read may not be used. */
  readonly landing: Promise<HeldSnapshot | undefined>;
}

/** Between two reads that both miss the change that a call must see. */
const unseenPauseMs = 25;

/** Hands out organisations' snapshots, from memory where the use rule allows it and else from the store. */
export class SnapshotCache {
  readonly memory: WorkerMemory;
  readonly feed: ChangeFeed;
  readonly #options: SnapshotCacheOptions;
  readonly #reads: SnapshotReads;
  readonly #flights = new Map<string, Flight>();
  #isClosed = false;

  constructor(options: SnapshotCacheOptions) {
    const { store, clock, leaseMs, maxOrgs, pollMs, readLimitMs, onEvent } = options;
    this.#options = options;
    this.memory = new WorkerMemory(clock, leaseMs, maxOrgs);
    this.feed = new ChangeFeed({ store, memory: this.memory, clock, pollMs, limitMs: readLimitMs, onEvent });
    this.#reads = new SnapshotReads(store, clock, readLimitMs);
  }

  /** The answer that needs no wait, if there is one. */
  hit(orgId: string, request: SnapshotRequest): SnapshotAnswer | undefined {
    const held = this.memory.find(orgId);
    return held !== undefined && this.#isUsable(held, request) && unopened(held, request.providers).length === 0
      ? { held, overdueMs: 0 }
      : undefined;
  }

  /** Reads until the use rule lets an answer through or the deadline ends. */
  async read(orgId: string, request: SnapshotRequest, deadline: Deadline): Promise<SnapshotAnswer> {
    let landed: HeldSnapshot | undefined;
    let hasReopened = false;
    for (;;) {
      deadline.throwIfEnded();
      const held = this.memory.find(orgId) ?? landed;
      if (held !== undefined && this.#isUsable(held, request)) {
        if (hasReopened || unopened(held, request.providers).length === 0) return { held, overdueMs: 0 };
        hasReopened = true;
        await deadline.race(reopenKeys(this.#options.keyring, held, request.providers));
        continue;
      }
      const overdue = this.feed.failures > 0 ? this.#overdue(orgId, request) : undefined;
      if (overdue !== undefined) {
        this.#fly(orgId).catch(() => {});
        return overdue;
      }
      try {
        landed = await deadline.race(this.#fly(orgId));
        if (landed === undefined) await deadline.race(this.feed.poll());
        else if (!this.#shows(landed, request.atLeast)) await deadline.pause(unseenPauseMs);
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
    return { held, overdueMs: Math.max(0, this.memory.overdueMs(held)) };
  }

  get flights(): number {
    return this.#flights.size;
  }

  close(): void {
    this.#isClosed = true;
    this.feed.close();
    this.memory.clear();
  }

  #isUsable(held: HeldSnapshot, request: SnapshotRequest): boolean {
    return this.memory.mayBeHandedOut(held) && this.#shows(held, request.atLeast);
  }

  /** A snapshot that is admitted is true for every change that this worker has read of. */
  #shows(held: HeldSnapshot, seq: number): boolean {
    return Math.max(held.snap, this.memory.history.lastSeq) >= seq;
  }

  #overdue(orgId: string, request: SnapshotRequest): SnapshotAnswer | undefined {
    const known = this.lastKnown(orgId, request.atLeast);
    return known !== undefined && request.acceptsOverdue(known) ? known : undefined;
  }

  /** One flight per organisation, fence and generation. It belongs to no caller and runs to the store's own limit. */
  #fly(orgId: string): Promise<HeldSnapshot | undefined> {
    const { history } = this.memory;
    const fence = history.fence(orgId);
    const current = this.#flights.get(orgId);
    if (current?.fence === fence && current.generation === history.generation) return current.landing;
    const landing = this.#land(orgId, history.generation).finally(() => {
      if (this.#flights.get(orgId)?.landing === landing) this.#flights.delete(orgId);
    });
    this.#flights.set(orgId, { fence, generation: history.generation, landing });
    return landing;
  }

  async #land(orgId: string, generation: number): Promise<HeldSnapshot | undefined> {
    const { keyring, clock, readLimitMs, onEvent } = this.#options;
    const { snapshot, sentAt } = await this.#reads.read(orgId);
    const opening = openKeys(keyring, snapshot);
    const keys = await within(clock, readLimitMs, opening, () => slowKeyring(orgId));
    const { incarnation, snap } = snapshot;
    const held: HeldSnapshot = { orgId, incarnation, generation, snap, readAt: sentAt, keys };
    if (this.#isClosed) return undefined;
    this.memory.history.hear(snapshot, generation, sentAt);
    if (this.memory.history.contradicts(snapshot) || !this.memory.install(held)) {
      onEvent({ type: "snapshot_refused", orgId });
      return undefined;
    }
    this.feed.follow();
    return held;
  }
}

function slowKeyring(orgId: string): ByokError {
  return new ByokError("store_unavailable", "The keyring did not open a key in time. Check the key service.", {
    orgId,
  });
}
