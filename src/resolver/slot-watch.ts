import type { Timer } from "../clock.ts";
import type { SlotDecisions } from "./slot-decisions.ts";

/** A signal keeps its slot alive, and nothing else does. */
const slotsOfSignals = new WeakMap<AbortSignal, object>();

/** Ends the watching of slots that are no longer held. */
const dropped = new FinalizationRegistry<() => void>((stop) => stop());

/**
 * Learns of an organisation's changes for one slot: as long as its signal is held, or one of its sockets is open. After a
 * change the slot is reconsidered once; while nothing is known of what serves now, again with every interval of the polls.
 */
export class SlotWatch {
  readonly #decisions: SlotDecisions;
  readonly #orgId: string;
  readonly #reconsider: () => Promise<boolean>;
  #aborting: AbortController | undefined;
  #isPending = false;
  #isRunning = false;
  #retry: Timer | undefined;

  /** `reconsider` resolves to `false` where nothing was known. */
  constructor(decisions: SlotDecisions, orgId: string, reconsider: () => Promise<boolean>) {
    this.#decisions = decisions;
    this.#orgId = orgId;
    this.#reconsider = reconsider;
  }

  /** Made on first access, and held weakly: the watching ends when neither the signal nor `slot` is held. */
  signal(slot: object): AbortSignal {
    if (this.#aborting !== undefined) return this.#aborting.signal;
    this.#aborting = new AbortController();
    const { signal } = this.#aborting;
    slotsOfSignals.set(signal, slot);
    const weak = new WeakRef<SlotWatch>(this);
    dropped.register(
      slot,
      this.#follow(() => weak.deref()?.changed()),
    );
    // What has changed since the slot was resolved is found out now.
    this.changed();
    return signal;
  }

  /** Watches until the returned function is called. */
  hold(): () => void {
    return this.#follow(() => this.changed());
  }

  fire(reason: Error): void {
    this.#aborting?.abort(reason);
  }

  changed(): void {
    this.#isPending = true;
    if (!this.#isRunning) void this.#run();
  }

  #follow(onChange: () => void): () => void {
    const { memory, feed } = this.#decisions.cache;
    const stop = memory.watch(this.#orgId, onChange);
    feed.follow();
    return stop;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isPending) {
      this.#isPending = false;
      const isKnown = await this.#reconsider().catch(() => false);
      if (isKnown) this.#retry?.cancel();
      else this.#retryLater();
    }
    this.#isRunning = false;
  }

  #retryLater(): void {
    const { clock, settings } = this.#decisions;
    const weak = new WeakRef<SlotWatch>(this);
    this.#retry?.cancel();
    this.#retry = clock.schedule(settings.pollMs, () => weak.deref()?.changed(), "background");
  }
}
