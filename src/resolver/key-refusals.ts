import type { Clock } from "../clock.ts";
import { ByokError } from "../errors.ts";
import type { RefusedKey } from "../providers/egress/key-supply.ts";
import type { Refusal } from "../providers/refusals/refusal.ts";
import { defaultKeyName } from "../store/sealed-key.ts";
import type { ChosenSlot } from "./chosen-slot.ts";
import type { RefusedKeyFailure } from "./fallback-policy.ts";
import { type KeyMarks, markedMs } from "./key-marks.ts";
import type { ResolverSettings } from "./resolver-settings.ts";
import type { SlotReads } from "./slot-reads.ts";
import type { UseNotes } from "./use-notes.ts";

const verdicts = { rejected: "invalid", exhausted: "exhausted" } as const;

/** What becomes of a refusal: it is confirmed once, however many requests it meets, and then the key is marked. */
export class KeyRefusals {
  readonly #clock: Clock;
  readonly #settings: ResolverSettings;
  readonly #marks: KeyMarks;
  readonly #notes: UseNotes;
  readonly #reads: SlotReads;
  /** By provider: when the platform's key was refused last, on the monotonic clock. */
  readonly #platformRefusedAtMs = new Map<string, number>();

  constructor(clock: Clock, settings: ResolverSettings, marks: KeyMarks, notes: UseNotes, reads: SlotReads) {
    this.#clock = clock;
    this.#settings = settings;
    this.#marks = marks;
    this.#notes = notes;
    this.#reads = reads;
  }

  /**
   * Resolves once it is known what to think of the key: it was replaced meanwhile, or it is marked.
   *
   * @throws ByokError `platform_key_refused`
   */
  async judge(slot: ChosenSlot, { serving, request, refusal }: RefusedKey): Promise<void> {
    const { secretId } = serving;
    if (secretId === null) throw this.#refusePlatform(slot, refusal);
    if (this.#marks.isKnown(secretId, request) || !(await this.#reads.isStored(slot, secretId))) return;
    const failure = failureOf(refusal);
    if (this.#marks.isKnown(secretId, request)) return;
    const isNews = this.#marks.mark(secretId, failure);
    const { orgId, provider } = slot;
    const facts = { orgId, provider: provider.id, secretId };
    if (isNews)
      this.#settings.onEvent({ type: "key_refused", ...facts, slot: slot.slot, failure, reason: refusal.reason });
    // Each time: a check may have said otherwise meanwhile, and what is noted already costs the store nothing.
    this.#notes.add({ ...facts, name: defaultKeyName, verdict: verdicts[failure] });
  }

  /** A request with a key has ended. */
  end({ orgId, provider }: ChosenSlot, secretId: string | null, request: object, hasSucceeded: boolean): void {
    if (!this.#marks.end(secretId, request, hasSucceeded)) return;
    const facts = { orgId, provider: provider.id, secretId: secretId as string };
    this.#settings.onEvent({ type: "key_recovered", ...facts });
    this.#notes.add({ ...facts, name: defaultKeyName, verdict: "passed" });
  }

  /** Told once in 30 seconds: it marks nothing, and every request of it is told of its own. */
  #refusePlatform({ orgId, provider, slot }: ChosenSlot, refusal: Refusal): ByokError {
    const nowMs = this.#clock.monotonicMs();
    const toldAtMs = this.#platformRefusedAtMs.get(provider.id) ?? Number.NEGATIVE_INFINITY;
    const failure = failureOf(refusal);
    const { reason } = refusal;
    if (nowMs - toldAtMs >= markedMs) {
      this.#platformRefusedAtMs.set(provider.id, nowMs);
      this.#settings.onEvent({ type: "platform_key_refused", orgId, provider: provider.id, slot, failure, reason });
    }
    const what = failure === "rejected" ? "refuses the platform's key. Replace it" : "has no more to spend. Top it up";
    const who = failure === "rejected" ? `"${provider.id}"` : `The platform's account of "${provider.id}"`;
    const message = `${who} ${what}: no organisation can mend that.`;
    return new ByokError("platform_key_refused", message, { orgId, provider: provider.id, slot, reason });
  }
}

function failureOf({ kind }: Refusal): RefusedKeyFailure {
  return kind === "exhausted" ? "exhausted" : "rejected";
}
