import { ByokError } from "../errors.ts";
import type { KeyRef } from "../store/sealed-key.ts";
import { keyChanged } from "./manager-errors.ts";

/** Store steps of one organisation that may wait for each other. */
const maxWaiting = 100;

/** A change that is under way in this process. */
export interface Turn extends Disposable {
  /** Aborted with `key_changed` as soon as a later change of the same key is asked for here. */
  readonly signal: AbortSignal;
}

/**
 * The order of changes within one process. It only saves time and connections: that the change that was asked for last
 * wins, on any number of processes, is the store's (`KeyStore.takePlaces`).
 */
export class ChangeTurns {
  readonly #latest = new Map<string, AbortController>();
  readonly #queues = new Map<string, { last: Promise<unknown>; waiting: number }>();

  /** Begins a change. An older one of the same key is of no use any more, and ends. */
  begin(ref: KeyRef): Turn {
    const id = JSON.stringify([ref.orgId, ref.provider, ref.name]);
    const controller = new AbortController();
    this.#latest.get(id)?.abort(keyChanged(ref));
    this.#latest.set(id, controller);
    const end = (): void => {
      if (this.#latest.get(id) === controller) this.#latest.delete(id);
    };
    return { signal: controller.signal, [Symbol.dispose]: end };
  }

  /**
   * Runs a store step after those of the same organisation that came before it: one customer's burst takes one
   * connection of the pool, and not all of them.
   *
   * @throws ByokError `store_unavailable` when a hundred wait already
   */
  async run<T>(orgId: string, step: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(orgId) ?? { last: Promise.resolve(), waiting: 0 };
    if (queue.waiting >= maxWaiting) throw tooMany(orgId);
    queue.waiting += 1;
    const done = queue.last.then(step, step).finally(() => {
      queue.waiting -= 1;
      if (queue.waiting === 0) this.#queues.delete(orgId);
    });
    queue.last = done.catch(() => {});
    this.#queues.set(orgId, queue);
    return await done;
  }
}

function tooMany(orgId: string): ByokError {
  const message = "Too many changes of this organisation wait to be stored. Make the same call again in a moment.";
  return new ByokError("store_unavailable", message, { orgId });
}
