import type { Clock } from "../clock.ts";
import type { SnapshotAnswer, SnapshotRequest } from "../coherence/snapshot-answers.ts";
import type { SnapshotCache } from "../coherence/snapshot-cache.ts";
import { Deadline } from "../deadline.ts";
import { ByokError, isByokError } from "../errors.ts";
import type { ChosenSlot } from "./chosen-slot.ts";
import type { KeyChooser } from "./key-chooser.ts";
import type { ResolveOptions } from "./resolver.ts";
import type { ResolverSettings } from "./resolver-settings.ts";

/** Reads what organisations have, for slots that are to be decided, each read within its call's deadline. */
export class SlotReads {
  readonly #clock: Clock;
  readonly #cache: SnapshotCache;
  readonly #chooser: KeyChooser;
  readonly #settings: ResolverSettings;
  readonly #closing: AbortSignal;

  constructor(
    clock: Clock,
    cache: SnapshotCache,
    chooser: KeyChooser,
    settings: ResolverSettings,
    closing: AbortSignal,
  ) {
    this.#clock = clock;
    this.#cache = cache;
    this.#chooser = chooser;
    this.#settings = settings;
    this.#closing = closing;
  }

  toRequest(providers: readonly string[], atLeast = 0): SnapshotRequest {
    return {
      providers,
      atLeast,
      acceptsOverdue: (answer) => this.#chooser.mayServe(providers, answer),
    };
  }

  /** While the store does not answer: what was last known, which each slot judges for itself, or `undefined`. */
  async read(orgId: string, request: SnapshotRequest, deadline: Deadline): Promise<SnapshotAnswer | undefined> {
    try {
      return await this.#cache.read(orgId, request, deadline);
    } catch (error) {
      if (!isByokError(error) || error.code !== "store_unavailable") throw error;
      return this.#cache.lastKnown(orgId, request.atLeast);
    }
  }

  /** Whether a key is still the slot's, read past every cache. Where nothing can be read, what is known counts. */
  async isStored({ orgId, provider }: ChosenSlot, secretId: string): Promise<boolean> {
    try {
      const deadline = this.startDeadline(orgId, {});
      await deadline.race(this.#cache.feed.pollAnew().catch(() => {}));
      const answer = await this.read(orgId, this.toRequest([provider.id]), deadline);
      return answer === undefined || answer.snapshot.keys.get(provider.id)?.secretId === secretId;
    } catch {
      return true;
    }
  }

  startDeadline(orgId: string, { deadlineMs, signal, atLeast = 0 }: ResolveOptions): Deadline {
    const limitMs = deadlineMs ?? this.#settings.deadlineMs;
    const signals = signal === undefined ? [this.#closing] : [this.#closing, signal];
    return new Deadline(this.#clock, limitMs, signals, () => this.#expired(orgId, limitMs, atLeast));
  }

  #expired(orgId: string, limitMs: number, atLeast: number): ByokError {
    if (atLeast > 0 && !this.#cache.memory.history.hasReadUpTo(atLeast)) {
      const message = `The database did not show change ${atLeast} within ${limitMs} ms. Check that the number comes from this database, then try again.`;
      return new ByokError("change_not_visible", message, { orgId });
    }
    const message = `The call did not end within ${limitMs} ms. Try again, or raise \`deadlineMs\`.`;
    return new ByokError("deadline_exceeded", message, { orgId });
  }
}
