import type { CacheEvent, SnapshotOrigin } from "./cache-event.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { OpenedSnapshot } from "./opened-snapshot.ts";
import type { WorkerMemory } from "./worker-memory.ts";

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

export interface SnapshotAnswersOptions {
  readonly memory: WorkerMemory;
  readonly feed: ChangeFeed;
  readonly onEvent: (event: CacheEvent) => void;
}

/** What of a worker's memory may answer a call in this very turn. */
export class SnapshotAnswers {
  readonly memory: WorkerMemory;
  readonly #feed: ChangeFeed;
  readonly #onEvent: (event: CacheEvent) => void;

  constructor({ memory, feed, onEvent }: SnapshotAnswersOptions) {
    this.memory = memory;
    this.#feed = feed;
    this.#onEvent = onEvent;
  }

  /** Whether the database seems to be away: its log could not be read last time. */
  get isAway(): boolean {
    return this.#feed.failures > 0;
  }

  /** The use rule, and what the call asks for beyond it. */
  satisfies(snapshot: OpenedSnapshot, { atLeast }: SnapshotRequest): boolean {
    return this.memory.isFresh(snapshot) && this.shows(snapshot, atLeast);
  }

  /** A snapshot that is admissible is true for every change that this worker has read. */
  shows({ asOf }: OpenedSnapshot, seq: number): boolean {
    return asOf >= seq || this.memory.history.hasReadUpTo(seq);
  }

  /** Answers with what satisfies the rule, and tells that a call was served with it. */
  use(snapshot: OpenedSnapshot, from: SnapshotOrigin): SnapshotAnswer {
    this.tellUse(snapshot.orgId, from);
    return { snapshot, overdueMs: 0 };
  }

  tellUse(orgId: string, from: SnapshotOrigin): void {
    this.#onEvent({ type: "snapshot_used", orgId, from });
  }

  /** What was last known and no known change outdates, however long its lease has ended. Nothing is promised of its age. */
  lastKnown(orgId: string, atLeast: number): SnapshotAnswer | undefined {
    const snapshot = this.memory.find(orgId);
    if (snapshot === undefined || !this.shows(snapshot, atLeast)) return undefined;
    const overdueMs = this.memory.overdueMs(snapshot);
    return { snapshot, overdueMs: overdueMs < 0 ? 0 : Math.max(overdueMs, 1) };
  }

  /** What was last known, where the call may run on it. */
  overdue(orgId: string, request: SnapshotRequest): SnapshotAnswer | undefined {
    const known = this.lastKnown(orgId, request.atLeast);
    return known !== undefined && request.acceptsOverdue(known) ? known : undefined;
  }
}
