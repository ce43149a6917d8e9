import type { KeyManager } from "../../src/index.ts";
import { nowMs, type Outcome } from "./calls.ts";

/** A value that an organisation may have had: from when its change was asked for until another is known to stand. */
interface Spell {
  readonly value: string;
  readonly fromMs: number;
  /** The number of its change; `undefined` while it is not known to stand. */
  seq: number | undefined;
  untilMs: number;
  /** The spell that ended it; `undefined` as well when it was lost with its history. */
  endedBy: Spell | undefined;
  /** When the server died that alone knew of it. */
  lostAtMs: number | undefined;
}

/** What became of a history: its changes up to `head` stand, those after it are lost with the server that died. */
export interface FailedOver {
  readonly head: number;
  /** From when on no change is known to have been kept. */
  readonly cutOffAtMs: number;
  readonly diedAtMs: number;
}

/** What is known of a value that was handed out. */
export interface Verdict {
  /** How long before it had ended; 0 when it may have stood. Infinite: the worker knew that its history was lost. */
  readonly outdatedMs: number;
  /** The change that had ended it, by when it was asked for; `undefined` when it may have stood. */
  readonly endAskedAtMs: number | undefined;
}

const platform = "platform";
const standing = { untilMs: Number.POSITIVE_INFINITY, endedBy: undefined, lostAtMs: undefined } as const;

/** What every organisation's key was when, as far as who changes it can know. One change is under way at a time. */
export class Truth {
  readonly #manager: KeyManager;
  readonly #spells = new Map<string, Spell[]>();
  #keys = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(manager: KeyManager) {
    this.#manager = manager;
  }

  /** Replaces the key, or removes it now and then. A change that fails may or may not stand. */
  change(orgId: string): Promise<void> {
    return this.#inTurn(() => ((this.#keys + 1) % 3 === 0 ? this.#remove(orgId) : this.#set(orgId)));
  }

  set(orgId: string): Promise<void> {
    return this.#inTurn(() => this.#set(orgId));
  }

  /** Another server has taken over, with an older state, while `during` ran: no change is under way meanwhile. */
  failOver(during: () => Promise<FailedOver>): Promise<void> {
    return this.#inTurn(async () => {
      const { head, cutOffAtMs, diedAtMs } = await during();
      const isLost = ({ seq, fromMs }: Spell): boolean => (seq === undefined ? fromMs > cutOffAtMs : seq > head);
      for (const spells of this.#spells.values()) {
        const back = spells.filter((spell) => !isLost(spell) && spell.endedBy !== undefined && isLost(spell.endedBy));
        for (const spell of spells.filter(isLost)) {
          spell.lostAtMs = diedAtMs;
          spell.untilMs = Math.min(spell.untilMs, diedAtMs);
        }
        spells.push(...back.map(({ value, seq }) => ({ ...standing, value, seq, fromMs: diedAtMs })));
      }
    });
  }

  /** `undefined`: the organisation never had that value. */
  verdict({ orgId, value, endedAt, handedOutAt, followsSince }: Outcome): Verdict | undefined {
    const spells = this.#of(orgId).filter((spell) => spell.value === value && spell.fromMs <= endedAt);
    const [first] = spells;
    if (first === undefined) return undefined;
    const newest = spells.reduce((latest, spell) => (spell.untilMs > latest.untilMs ? spell : latest), first);
    const { untilMs, endedBy, lostAtMs } = newest;
    const isKnownLost = lostAtMs !== undefined && followsSince > lostAtMs;
    const outdatedMs = isKnownLost ? Number.POSITIVE_INFINITY : Math.max(0, handedOutAt - untilMs);
    return { outdatedMs, endAskedAtMs: outdatedMs > 0 ? (endedBy?.fromMs ?? untilMs) : undefined };
  }

  async #set(orgId: string): Promise<void> {
    this.#keys += 1;
    const apiKey = `key-${this.#keys}-of-${orgId}`;
    await this.#changed(orgId, apiKey, this.#manager.set(orgId, { provider: "ada", apiKey }));
  }

  async #remove(orgId: string): Promise<void> {
    this.#keys += 1;
    await this.#changed(orgId, platform, this.#manager.remove(orgId, { provider: "ada" }));
  }

  async #changed(orgId: string, value: string, asked: Promise<{ readonly seq: number }>): Promise<void> {
    const spells = this.#of(orgId);
    const before = spells.filter(({ untilMs }) => untilMs === Number.POSITIVE_INFINITY);
    const spell: Spell = { ...standing, value, seq: undefined, fromMs: nowMs() };
    spells.push(spell);
    spell.seq = (await asked).seq;
    for (const ended of before) Object.assign(ended, { untilMs: nowMs(), endedBy: spell });
  }

  #of(orgId: string): Spell[] {
    const spells = this.#spells.get(orgId) ?? [{ ...standing, value: platform, seq: 0, fromMs: 0 }];
    this.#spells.set(orgId, spells);
    return spells;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return await turn;
  }
}
