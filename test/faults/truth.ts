import type { KeyManager } from "../../src/index.ts";
import type { Outcome } from "./deployment.ts";

/** A value that an organisation may have had: from when its change was asked for until another is known to stand. */
interface Spell {
  readonly value: string;
  readonly fromMs: number;
  untilMs: number;
}

const platform = "platform";

/** What every organisation's key was when, as far as who changes it can know. */
export class Truth {
  readonly #manager: KeyManager;
  readonly #spells = new Map<string, Spell[]>();
  #keys = 0;

  constructor(manager: KeyManager) {
    this.#manager = manager;
  }

  /** Replaces the key, or removes it now and then. A change that fails may or may not stand. */
  async change(orgId: string): Promise<void> {
    this.#keys += 1;
    const isRemoval = this.#keys % 3 === 0;
    const value = isRemoval ? platform : `key-${this.#keys}-of-${orgId}`;
    const spells = this.#of(orgId);
    const before = [...spells];
    spells.push({ value, fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY });
    if (isRemoval) await this.#manager.remove(orgId, "ada");
    else await this.#manager.set(orgId, { provider: "ada", apiKey: value });
    for (const spell of before) spell.untilMs = Math.min(spell.untilMs, Date.now());
  }

  /** How long before it was handed out the value had ended; 0 when it may have stood. `undefined`: it never was. */
  outdatedMs({ orgId, value, startedAt }: Outcome): number | undefined {
    const ended = this.#of(orgId)
      .filter((spell) => spell.value === value)
      .map(({ untilMs }) => Math.max(0, startedAt - untilMs));
    return ended.length === 0 ? undefined : Math.min(...ended);
  }

  #of(orgId: string): Spell[] {
    const spells = this.#spells.get(orgId) ?? [{ value: platform, fromMs: 0, untilMs: Number.POSITIVE_INFINITY }];
    this.#spells.set(orgId, spells);
    return spells;
  }
}
