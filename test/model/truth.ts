/** What an organisation's key was: its text, or `null` for none. */
export type Value = string | null;

/** Per organisation how often its key had changed: an organisation that is not named has never had one. */
export type Truths = ReadonlyMap<string, number>;

interface Episode {
  readonly fromMs: number;
  readonly value: Value;
}

const beginning: readonly Episode[] = [{ fromMs: 0, value: null }];

/** Remembers of every organisation what was true when. A truth is the number of an episode; time only adds to them. */
export class Truth {
  readonly #now: () => number;
  readonly #episodes = new Map<string, readonly Episode[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  record(orgId: string, value: Value): void {
    const episodes = this.#of(orgId);
    if (episodes.at(-1)?.value !== value) this.#episodes.set(orgId, [...episodes, { fromMs: this.#now(), value }]);
  }

  get orgIds(): string[] {
    return [...this.#episodes.keys()];
  }

  now(): Truths {
    return new Map([...this.#episodes].map(([orgId, episodes]) => [orgId, episodes.length - 1]));
  }

  /** Whether `value` was the organisation's at any time since `sinceMs`. */
  was(orgId: string, value: Value, sinceMs: number): boolean {
    const episodes = this.#of(orgId);
    return episodes.some((one, at) => one.value === value && (episodes[at + 1]?.fromMs ?? this.#now()) >= sinceMs);
  }

  /** The first of the organisation's truths from a number on that says `value`; -1 when none does. */
  first(orgId: string, value: Value, from: number): number {
    return this.#of(orgId).findIndex((one, truth) => truth >= from && one.value === value);
  }

  #of(orgId: string): readonly Episode[] {
    return this.#episodes.get(orgId) ?? beginning;
  }
}
