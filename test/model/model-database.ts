import type { KeySnapshot, LogPage, LogRow, NewKey, SealedKey, StoreChange } from "../../src/vault/key-store.ts";

/** What an organisation's key was: its text, or `null` for none. */
export type Value = string | null;

interface State {
  readonly incarnation: string;
  readonly log: readonly LogRow[];
  readonly keys: ReadonlyMap<string, SealedKey>;
}

/** A database of one key per organisation that can be pruned, can lose its last changes, and remembers what was true when. */
export class ModelDatabase {
  readonly #now: () => number;
  #state: State;
  #marks = 0;
  #incarnations = 0;
  /** All states that there were, for going back to one. */
  readonly #past: State[] = [];
  readonly #truthOf = new Map<string, number>();
  readonly #truth = new Map<string, { readonly fromMs: number; readonly value: Value }[]>();

  constructor(now: () => number) {
    this.#now = now;
    this.#state = { incarnation: "i0", log: [{ seq: 0, mark: "m0", orgId: "" }], keys: new Map() };
    this.#past.push(this.#state);
  }

  get head(): LogRow {
    return this.#state.log.at(-1) as LogRow;
  }

  snapshot(orgId: string): KeySnapshot {
    const { incarnation, keys } = this.#state;
    const key = keys.get(orgId);
    return { orgId, incarnation, snap: this.head.seq, mark: this.head.mark, keys: key === undefined ? [] : [key] };
  }

  poll(cursor: { readonly after: number } | { readonly windowMs: number }): LogPage {
    const { incarnation, log } = this.#state;
    const oldest = log[0] as LogRow;
    const after = "after" in cursor ? cursor.after : oldest.seq;
    const afterMark = log.find(({ seq }) => seq === after)?.mark ?? null;
    const changes = log.filter(({ seq }) => seq > after).slice(0, 3);
    return { incarnation, head: this.head.seq, headMark: this.head.mark, after, afterMark, changes };
  }

  put({ orgId, provider, secretId, region, kid, sealed }: NewKey): StoreChange {
    return this.#change(orgId, { provider, secretId, region, kid, sealed });
  }

  remove(orgId: string): StoreChange {
    if (!this.#state.keys.has(orgId)) return { seq: this.head.seq, secretId: null, references: {} };
    return this.#change(orgId, undefined);
  }

  /** Removes rows of the log from its beginning, never the newest. */
  prune(choice: number): void {
    const { log } = this.#state;
    this.#state = { ...this.#state, log: log.slice(choice % log.length) };
  }

  /** Goes back to an earlier state: a standby that lost changes is promoted, or a backup is restored. */
  goBack(choice: number, isPromoted: boolean): void {
    const earlier = this.#past.at(-1 - (choice % Math.min(4, this.#past.length))) as State;
    this.#incarnations += isPromoted ? 1 : 0;
    const incarnation = isPromoted ? `i${this.#incarnations}` : this.#state.incarnation;
    this.#state = { ...earlier, incarnation };
    this.#past.length = this.#past.indexOf(earlier) + 1;
    for (const orgId of this.#truth.keys()) this.#record(orgId);
  }

  /** Whether `value` was the organisation's at any time since `sinceMs`. */
  wasTrue(orgId: string, value: Value, sinceMs: number): boolean {
    const times = this.#truth.get(orgId) ?? [{ fromMs: 0, value: null }];
    return times.some((one, index) => one.value === value && (times[index + 1]?.fromMs ?? this.#now()) >= sinceMs);
  }

  /** The first of the organisation's truths from a number on that says `value`; -1 when none does. */
  truthFrom(orgId: string, value: Value, from: number): number {
    const times = this.#truth.get(orgId) ?? [{ value: null }];
    return times.findIndex((one, truth) => truth >= from && one.value === value);
  }

  /** Which of its organisation's truths the change with that mark has made. */
  truthAt(mark: string): number {
    return this.#truthOf.get(mark) ?? 0;
  }

  #change(orgId: string, key: SealedKey | undefined): StoreChange {
    const { log, keys } = this.#state;
    const before = keys.get(orgId);
    const next = new Map(keys);
    if (key === undefined) next.delete(orgId);
    else next.set(orgId, key);
    const seq = this.head.seq + 1;
    this.#marks += 1;
    const row = { seq, mark: `m${this.#marks}`, orgId };
    this.#state = { ...this.#state, log: [...log, row].sort((a, b) => a.seq - b.seq), keys: next };
    this.#past.push(this.#state);
    this.#record(orgId);
    this.#truthOf.set(row.mark, (this.#truth.get(orgId)?.length ?? 1) - 1);
    const references: Record<string, string> = key === undefined ? {} : { [key.provider]: key.secretId };
    return { seq, secretId: before?.secretId ?? null, references };
  }

  #record(orgId: string): void {
    const times = this.#truth.get(orgId) ?? [{ fromMs: 0, value: null }];
    const value = this.#state.keys.get(orgId)?.sealed ?? null;
    if (times.at(-1)?.value !== value) times.push({ fromMs: this.#now(), value });
    this.#truth.set(orgId, times);
  }
}
