import type { Clock } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import { type KeyStore, maxSnapshotOrgs } from "../store/key-store.ts";
import type { KeySnapshot } from "../store/sealed-key.ts";
import { type Moment, readMoment } from "./moment.ts";

/** A snapshot, and when its read was sent. */
export interface SnapshotRead {
  readonly snapshot: KeySnapshot;
  readonly sentAt: Moment;
}

/** Statements under way at once; what comes meanwhile shares the next ones. */
const maxStatements = 4;

/** Organisations that may wait for a statement. */
const maxWaiting = 10_000;

/**
 * Reads snapshots from the store. Reads that have to wait share a statement, so that a thousand cold organisations cost
 * a dozen statements and not a thousand connections.
 */
export class SnapshotBatcher {
  readonly #store: KeyStore;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #waiting = new Map<string, PromiseWithResolvers<SnapshotRead>>();
  #statements = 0;

  constructor(store: KeyStore, clock: Clock, limitMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Reads one organisation; the statement is sent after this call. Ends within the limit, waiting included. */
  read(orgId: string): Promise<SnapshotRead> {
    let waiter = this.#waiting.get(orgId);
    if (waiter === undefined) {
      if (this.#waiting.size >= maxWaiting) return Promise.reject(unavailable("has too many reads waiting"));
      waiter = Promise.withResolvers<SnapshotRead>();
      this.#waiting.set(orgId, waiter);
      this.#send();
      // Its statement is under way, which has the same limit.
      if (!this.#waiting.has(orgId)) return waiter.promise;
    }
    return this.#limited(waiter.promise);
  }

  #send(): void {
    while (this.#statements < maxStatements && this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, maxSnapshotOrgs);
      for (const [orgId] of batch) this.#waiting.delete(orgId);
      this.#statements += 1;
      void this.#run(batch).finally(() => {
        this.#statements -= 1;
        this.#send();
      });
    }
  }

  async #run(batch: readonly (readonly [string, PromiseWithResolvers<SnapshotRead>])[]): Promise<void> {
    const sentAt = readMoment(this.#clock);
    try {
      const snapshots = await this.#limited(this.#store.snapshots(batch.map(([orgId]) => orgId)));
      for (const [index, [orgId, waiter]] of batch.entries()) {
        const snapshot = snapshots[index];
        if (snapshot?.orgId === orgId) waiter.resolve({ snapshot, sentAt });
        else waiter.reject(unavailable("answered for another organisation"));
      }
    } catch (error) {
      for (const [, waiter] of batch) waiter.reject(error);
    }
  }

  #limited<T>(work: Promise<T>): Promise<T> {
    return within(this.#clock, this.#limitMs, work, () => unavailable(`did not answer within ${this.#limitMs} ms`));
  }
}

function unavailable(what: string): ByokError {
  return new ByokError("store_unavailable", `The key store ${what}. Check the database, then try again.`);
}
