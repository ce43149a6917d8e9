import type { SnapshotOrigin } from "./cache-event.ts";
import type { History } from "./history.ts";
import type { OpenedSnapshot } from "./opened-snapshot.ts";

/** What a read of an organisation found, and where. */
export interface ReadResult {
  readonly snapshot: OpenedSnapshot;
  readonly from: Exclude<SnapshotOrigin, "memory">;
}

/** Resolves to `undefined` when what was read may not be used. */
export type LoadSnapshot = (orgId: string, generation: number) => Promise<ReadResult | undefined>;

interface InFlightRead {
  readonly fence: number;
  readonly generation: number;
  readonly result: Promise<ReadResult | undefined>;
}

/**
 * Reads that are under way: one per organisation, fence and generation. A read belongs to no caller and runs to its
 * own limits; who joined one re-checks what it brought.
 */
export class InFlightReads {
  readonly #history: History;
  readonly #load: LoadSnapshot;
  readonly #reads = new Map<string, InFlightRead>();

  constructor(history: History, load: LoadSnapshot) {
    this.#history = history;
    this.#load = load;
  }

  get size(): number {
    return this.#reads.size;
  }

  has(orgId: string): boolean {
    return this.#reads.has(orgId);
  }

  /** Joins the organisation's read, or begins one where none is under way that knows as much as this worker. */
  join(orgId: string): Promise<ReadResult | undefined> {
    const { generation } = this.#history;
    const fence = this.#history.fence(orgId);
    const current = this.#reads.get(orgId);
    if (current?.fence === fence && current.generation === generation) return current.result;
    const result = this.#load(orgId, generation).finally(() => {
      if (this.#reads.get(orgId)?.result === result) this.#reads.delete(orgId);
    });
    this.#reads.set(orgId, { fence, generation, result });
    return result;
  }

  /** {@link InFlightReads.join} for who does not wait for it. */
  joinBehind(orgId: string): void {
    this.join(orgId).catch(() => {});
  }
}
