import { type ByokError, isByokError } from "../errors.ts";
import {
  isSameKey,
  type KeySupply,
  type RefusedKey,
  type SentRequest,
  type ServingKey,
  servesStill,
} from "../providers/egress/key-supply.ts";
import type { Slot } from "../slot.ts";
import { type ChosenSlot, isFailure, type Outcome } from "./chosen-slot.ts";
import { HeldSockets } from "./held-sockets.ts";
import type { SlotDecisions } from "./slot-decisions.ts";
import { keyReplaced, keyRevoked, toSlotError } from "./slot-errors.ts";
import { toRequestEvent, toSourceChanged } from "./slot-events.ts";
import { SlotOutage } from "./slot-outage.ts";
import { SlotWatch } from "./slot-watch.ts";

/** Failures that say nothing of what serves now: a moment of the database's or of a key service's. */
const unknownCodes: ReadonlySet<string> = new Set(["store_unavailable", "keyring_unavailable", "keyring_outdated"]);

/**
 * A slot that a call holds: says, request by request, which key serves it now. It is decided as a new call would be, by the
 * same code, with one difference: while the database is away it goes on with what it was resolved with.
 */
export class HeldSlot implements KeySupply {
  readonly orgId: string;
  readonly slot: Slot;
  readonly #decisions: SlotDecisions;
  /** What it was resolved with, or what has served it since. */
  #current: ChosenSlot;
  readonly #resolved: ServingKey;
  readonly #outage: SlotOutage;
  /** Whether the last decision found no database to ask, though its log may still be read. */
  #isUnanswered = false;
  readonly #watch: SlotWatch;
  readonly #sockets: HeldSockets;

  constructor(decisions: SlotDecisions, chosen: ChosenSlot) {
    this.#decisions = decisions;
    this.#outage = new SlotOutage(decisions);
    this.#current = chosen;
    this.#resolved = chosen.serving;
    this.orgId = chosen.orgId;
    this.slot = chosen.slot;
    this.#watch = new SlotWatch(decisions, chosen.orgId, () => this.#reconsider());
    this.#sockets = new HeldSockets(decisions.clock, decisions.settings.socketGraceMs, this.#watch);
  }

  /** See `ResolvedSlot.signal`. */
  get signal(): AbortSignal {
    const signal = this.#watch.signal(this);
    if (!isSameKey(this.#resolved, this.#current.serving)) this.#watch.fire(keyReplaced(this.#current));
    return signal;
  }

  peek(): ServingKey | undefined {
    const outcome = this.#decisions.peek(this.#current);
    if (outcome !== undefined) return this.#take(outcome);
    const serving = this.#isUnanswered || this.#decisions.cache.isAway ? this.#goOn() : undefined;
    return serving ?? this.#judgeLastKnown();
  }

  async decide(signal?: AbortSignal | null): Promise<ServingKey> {
    const outcome = await this.#decideOrExpire(signal ?? undefined);
    const isExpired = isByokError(outcome);
    // Then it is `fallback` that has not answered, and no database that is away.
    if (isExpired && this.#decisions.isKnown(this.#current)) throw outcome;
    if (!isExpired && !(isFailure(outcome) && outcome.code === "store_unavailable")) return this.#take(outcome);
    this.#isUnanswered = true;
    const serving = this.#goOn() ?? (await this.#goOnLater(signal ?? undefined));
    if (serving !== undefined) return serving;
    if (isExpired) throw outcome;
    return this.#take(outcome);
  }

  mayLeave(serving: ServingKey, request: object): boolean {
    const { marks } = this.#decisions;
    if (!marks.askFor(request, () => servesStill(this, serving))) return false;
    marks.leave(serving.secretId, request);
    return true;
  }

  async replace(refused: RefusedKey, signal?: AbortSignal | null): Promise<ServingKey> {
    const deadline = this.#decisions.startDeadline(this.orgId, signal ? { signal } : {});
    await deadline.race(this.#decisions.refusals.judge(this.#current, refused));
    return this.peek() ?? (await this.decide(signal));
  }

  async onRefusal(refused: RefusedKey): Promise<void> {
    await this.replace(refused).catch((error: Error) => this.#watch.fire(error));
  }

  onTaken({ secretId }: ServingKey, request: object): void {
    this.#decisions.refusals.end(this.#current, secretId, request, true);
  }

  holdSocket(serving: ServingKey, close: (why: Error) => void): () => void {
    return this.#sockets.hold(serving, close);
  }

  onRequest(sent: SentRequest): void {
    const { serving, request, status } = sent;
    // Of a socket that is open it is not known yet.
    const hasSucceeded = status !== null && status >= 200 && status < 400;
    if (status !== 101) this.#decisions.refusals.end(this.#current, serving.secretId, request, hasSucceeded);
    this.#decisions.settings.onEvent(toRequestEvent(this.#current, sent));
  }

  /** The deadline may end before the store says that it does not answer. */
  async #decideOrExpire(signal: AbortSignal | undefined): Promise<Outcome | ByokError> {
    try {
      return await this.#decisions.decide(this.#current, signal);
    } catch (error) {
      if (isByokError(error) && error.code === "deadline_exceeded") return error;
      throw error;
    }
  }

  #goOn(): ServingKey | undefined {
    const outcome = this.#outage.judge(this.#current);
    return outcome === undefined ? undefined : this.#takeUnanswered(outcome);
  }

  /** The same, once `fallback` has answered for a key that is refused. */
  async #goOnLater(signal: AbortSignal | undefined): Promise<ServingKey | undefined> {
    const held = this.#current;
    const outcome = await this.#outage.judgeLater(held, signal);
    if (outcome === undefined) return undefined;
    return this.#current === held ? this.#takeUnanswered(outcome) : this.#goOn();
  }

  #takeUnanswered(outcome: Outcome): ServingKey {
    const wasUnanswered = this.#isUnanswered;
    const serving = this.#take(outcome);
    this.#isUnanswered = wasUnanswered;
    return serving;
  }

  /** What serves although nothing fresh is known, decided in this very turn: for a slot that was served so before. */
  #judgeLastKnown(): ServingKey | undefined {
    const {
      shown: { stale },
      snapshot,
    } = this.#current;
    if (!stale && snapshot !== undefined) return undefined;
    const outcome = this.#decisions.judgeLastKnown(this.#current);
    return outcome === undefined || isFailure(outcome) ? undefined : this.#take(outcome);
  }

  /** After a change of the organisation: `false` when nothing is known of what serves now. */
  async #reconsider(): Promise<boolean> {
    let outcome: Outcome;
    try {
      outcome = await this.#decisions.decide(this.#current, undefined);
    } catch (error) {
      if (isByokError(error) && error.code === "closed") {
        this.#sockets.closeAll(error);
        this.#watch.fire(error);
        return true;
      }
      // Whatever `fallback` will say, a key that is removed serves no more.
      if (this.#endWhatIsRemoved()) this.#watch.fire(keyRevoked(this.#current));
      throw error;
    }
    if (isFailure(outcome) && unknownCodes.has(outcome.code)) return false;
    this.#endWhatIsRemoved();
    if (isFailure(outcome)) this.#watch.fire(toSlotError(outcome, this.#current));
    else this.#take(outcome);
    return true;
  }

  /** Returns `true` if the slot itself runs on a key that is removed; sockets may have been opened with one before. */
  #endWhatIsRemoved(): boolean {
    if (!this.#decisions.isRemoved(this.#current)) return false;
    this.#sockets.closeRevoked(keyRevoked(this.#current));
    return this.#current.serving.source === "byok";
  }

  #take(outcome: Outcome): ServingKey {
    if (isFailure(outcome)) throw toSlotError(outcome, this.#current);
    const before = this.#current;
    const isTrial = this.#decisions.marks.isMarked(outcome.serving.secretId);
    // The slot goes over to a key that is tried when it was taken.
    if (isTrial && !isSameKey(before.serving, outcome.serving)) return outcome.serving;
    this.#current = outcome;
    this.#isUnanswered = false;
    if (isSameKey(before.serving, outcome.serving)) return outcome.serving;
    this.#watch.fire(keyReplaced(outcome));
    if (before.serving.source !== outcome.serving.source) this.#decisions.settings.onEvent(toSourceChanged(outcome));
    return outcome.serving;
  }
}
