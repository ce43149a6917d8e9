import type { OpenedSnapshot } from "../coherence/opened-snapshot.ts";
import type { SnapshotCache } from "../coherence/snapshot-cache.ts";
import { isRecord } from "../own-property.ts";
import type { Slot } from "../slot.ts";
import { type ChosenSlot, isFailure, type Outcome } from "./chosen-slot.ts";
import type { KeyMarks } from "./key-marks.ts";
import type { AgentConfig, SlotConfig } from "./resolver.ts";

/** What was chosen last from a snapshot, by slot: most agents ask for the same again. */
type KeptSlots = Record<Slot, ChosenSlot | undefined>;

/** What was chosen for an agent, by slot. */
export type ChosenSlots = Readonly<Omit<KeptSlots, "email">>;

const everybodys: AgentConfig & Partial<SlotConfig> = Object.prototype;

/**
 * The short way of a call: everything is at hand, and nothing is wrong. It takes what was chosen before from the very snapshot
 * that may be handed out now, and only an organisation's own keys. Any doubt is `undefined`, and the call takes the long way,
 * where errors and events come from.
 */
export class SlotsAtHand {
  readonly #cache: SnapshotCache;
  readonly #marks: KeyMarks;

  constructor(cache: SnapshotCache, marks: KeyMarks) {
    this.#cache = cache;
    this.#marks = marks;
  }

  keep(outcomes: readonly Outcome[]): void {
    for (const chosen of outcomes) {
      if (isFailure(chosen) || chosen.snapshot === undefined || chosen.shown.stale) continue;
      if (chosen.shown.source === "platform") continue;
      const slots = keptOf(chosen.snapshot) ?? nothingKept();
      slots[chosen.slot] = chosen;
      chosen.snapshot.made = slots;
    }
  }

  /** To be used in the same synchronous turn. An agent whose properties throw is in doubt as well. */
  find(orgId: string, agent: AgentConfig): ChosenSlots | undefined {
    try {
      return this.#find(orgId, agent);
    } catch {
      return undefined;
    }
  }

  #find(orgId: string, agent: AgentConfig): ChosenSlots | undefined {
    if (!isRecord(agent as unknown) || isPolluted()) return undefined;
    const snapshot = this.#cache.peek(orgId, undefined);
    const kept = snapshot === undefined ? undefined : keptOf(snapshot);
    if (kept === undefined) return undefined;
    const llm = this.#take(kept.llm, agent.llm_config);
    const stt = this.#take(kept.stt, agent.stt_config);
    const tts = this.#take(kept.tts, agent.tts_config);
    const realtime = this.#take(kept.realtime, agent.realtime_config);
    if (llm === null || stt === null || tts === null || realtime === null) return undefined;
    if (llm === undefined && stt === undefined && tts === undefined && realtime === undefined) return undefined;
    this.#cache.tellUse(orgId, "memory");
    return { llm, stt, tts, realtime };
  }

  /** What was asked for before was valid, and so is what equals it. `undefined`: nothing is asked for; `null`: it is in doubt. */
  #take(kept: ChosenSlot | undefined, config: SlotConfig | null | undefined): ChosenSlot | null | undefined {
    if (config === undefined || config === null) return undefined;
    if (kept === undefined || !isRecord(config as unknown)) return null;
    const { provider, model, voice } = config;
    const { shown, namedModel } = kept;
    if (provider !== shown.provider || !isSameName(model, namedModel) || !isSameName(voice, shown.voice)) return null;
    const isMarked = !this.#marks.isEmpty && this.#marks.failureOf(shown.secretId) !== undefined;
    return isMarked ? null : kept;
  }
}

function keptOf(snapshot: OpenedSnapshot): KeptSlots | undefined {
  return snapshot.made as KeptSlots | undefined;
}

/** Each of its own: it would be read from `Object.prototype`. */
function nothingKept(): KeptSlots {
  return { llm: undefined, stt: undefined, tts: undefined, realtime: undefined, email: undefined };
}

/** Absent, `null` and empty mean the same. */
function isSameName(asked: string | null | undefined, kept: string | undefined): boolean {
  return asked === kept || (kept === undefined && (asked === null || asked === ""));
}

/** Whether an agent would inherit something that somebody has put on `Object.prototype`. */
function isPolluted(): boolean {
  return (
    everybodys.llm_config !== undefined ||
    everybodys.stt_config !== undefined ||
    everybodys.tts_config !== undefined ||
    everybodys.realtime_config !== undefined ||
    everybodys.provider !== undefined ||
    everybodys.model !== undefined ||
    everybodys.voice !== undefined
  );
}
