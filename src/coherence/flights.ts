import type { SnapshotOrigin } from "./cache-event.ts";
import type { HeldSnapshot } from "./held-snapshot.ts";
import type { History } from "./history.ts";

/** A read of an organisation that may be used, and where it was found. */
export interface Landed {
  readonly held: HeldSnapshot;
  readonly from: Exclude<SnapshotOrigin, "memory">;
}

interface Flight {
  readonly fence: number;
  readonly generation: number;
  readonly landing: Promise<Landed | undefined>;
}

/**
 * Reads that are under way: one per organisation, fence and generation. A flight belongs to no caller and runs to its
 * own limits; who joined one re-checks what it brought.
 */
export class Flights {
  readonly #history: History;
  readonly #land: (orgId: string, generation: number) => Promise<Landed | undefined>;
  readonly #flights = new Map<string, Flight>();

  /** `land` resolves to `undefined` when what was read may not be used. */
  constructor(history: History, land: (orgId: string, generation: number) => Promise<Landed | undefined>) {
    this.#history = history;
    this.#land = land;
  }

  get size(): number {
    return this.#flights.size;
  }

  has(orgId: string): boolean {
    return this.#flights.has(orgId);
  }

  of(orgId: string): Promise<Landed | undefined> {
    const { generation } = this.#history;
    const fence = this.#history.fence(orgId);
    const current = this.#flights.get(orgId);
    if (current?.fence === fence && current.generation === generation) return current.landing;
    const landing = this.#land(orgId, generation).finally(() => {
      if (this.#flights.get(orgId)?.landing === landing) this.#flights.delete(orgId);
    });
    this.#flights.set(orgId, { fence, generation, landing });
    return landing;
  }
}
