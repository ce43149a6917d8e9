import type { LogCursor, LogPage, LogRow } from "../../src/store/change-log.ts";
import type { NewKey, StoreChange } from "../../src/store/key-change.ts";
import { defaultKeyName, type KeySnapshot, type SealedKey, type StoredReference } from "../../src/store/sealed-key.ts";
import { Truth, type Truths, type Value } from "./truth.ts";

interface TimedRow extends LogRow {
  readonly atMs: number;
}

interface State {
  readonly incarnation: string;
  readonly log: readonly TimedRow[];
  readonly keys: ReadonlyMap<string, SealedKey>;
  readonly places: ReadonlyMap<string, string>;
}

/** What was true right after a change, and how often the database had gone back by then. */
export interface Change {
  readonly seq: number;
  readonly truths: Truths;
  readonly timesBack: number;
}

/** A database of one key per organisation that can be pruned, can lose its last changes, and remembers what was true when. */
export class ModelDatabase {
  readonly truth: Truth;
  /** How often it has gone back to an earlier state. */
  timesBack = 0;
  readonly #now: () => number;
  /** The most log rows in a page. */
  readonly #maxRows: number;
  #state: State;
  #changeIds = 0;
  #incarnations = 0;
  #places = 0;
  /** All states that there were, for going back to one. */
  readonly #past: State[] = [];
  readonly #changes = new Map<string, Change>();

  constructor(now: () => number, maxRows = 3) {
    this.#now = now;
    this.#maxRows = maxRows;
    this.truth = new Truth(now);
    this.#state = {
      incarnation: "i0",
      log: [{ seq: 0, changeId: "m0", orgId: "", atMs: 0 }],
      keys: new Map(),
      places: new Map(),
    };
    this.#past.push(this.#state);
  }

  get head(): LogRow {
    return this.#state.log.at(-1) as LogRow;
  }

  snapshot(orgId: string): KeySnapshot {
    const { incarnation, keys } = this.#state;
    const key = keys.get(orgId);
    return {
      orgId,
      incarnation,
      asOf: this.head.seq,
      changeId: this.head.changeId,
      keys: key === undefined ? [] : [key],
    };
  }

  poll(cursor: LogCursor): LogPage {
    const { incarnation, log } = this.#state;
    const after = "after" in cursor ? cursor.after : this.#startOf(cursor.windowMs);
    const afterChangeId = log.find(({ seq }) => seq === after)?.changeId ?? null;
    const changes = log.filter(({ seq }) => seq > after).slice(0, this.#maxRows);
    return { incarnation, head: this.head.seq, headChangeId: this.head.changeId, after, afterChangeId, changes };
  }

  takePlace(orgId: string, place: string): StoredReference | null {
    const { places, keys } = this.#state;
    this.#state = { ...this.#state, places: new Map(places).set(orgId, place) };
    const key = keys.get(orgId);
    return key === undefined ? null : { secretId: key.secretId, region: key.region, account: key.account };
  }

  put({ orgId, provider, name, secretId, region, account, kid, sealed, place }: NewKey): StoreChange | undefined {
    if (place !== null && this.#state.places.get(orgId) !== place) return undefined;
    return this.#change(orgId, { provider, name, secretId, region, account, kid, sealed });
  }

  remove(orgId: string, place: string): StoreChange {
    this.takePlace(orgId, place);
    if (!this.#state.keys.has(orgId)) return { seq: this.head.seq, secretId: null, references: {} };
    return this.#change(orgId, undefined);
  }

  /** A change that takes its place and is stored at once; `null` removes the key. */
  commit(orgId: string, value: Value): StoreChange {
    this.#places += 1;
    const place = `commit ${this.#places}`;
    if (value === null) return this.remove(orgId, place);
    this.takePlace(orgId, place);
    return this.#change(orgId, {
      ...{ provider: "ada", name: defaultKeyName, region: null, account: null },
      ...{ secretId: `secret of ${value}`, kid: "kek-1", sealed: value },
    });
  }

  /** The organisation's key, `null` for none. */
  keyOf(orgId: string): Value {
    return this.#state.keys.get(orgId)?.sealed ?? null;
  }

  /** Removes rows of the log from its beginning, never the newest. */
  prune(choice: number): void {
    const { log } = this.#state;
    this.#state = { ...this.#state, log: log.slice(choice % log.length) };
  }

  /** Goes back to an earlier state: a standby that lost changes is promoted, or a backup is restored. */
  goBack(choice: number, isPromoted: boolean): void {
    const earlier = this.#past.at(-1 - (choice % Math.min(4, this.#past.length))) as State;
    this.timesBack += 1;
    this.#incarnations += isPromoted ? 1 : 0;
    const incarnation = isPromoted ? `i${this.#incarnations}` : this.#state.incarnation;
    this.#state = { ...earlier, incarnation };
    this.#past.length = this.#past.indexOf(earlier) + 1;
    for (const orgId of this.truth.orgIds) this.#record(orgId);
  }

  /** The change that a row of the log tells of; `undefined` for the one that stands there from the beginning. */
  changeOf(changeId: string): Change | undefined {
    return this.#changes.get(changeId);
  }

  /** Of the changes with that number the one that was made last. */
  changeAt(seq: number): Change | undefined {
    return [...this.#changes.values()].findLast((change) => change.seq === seq);
  }

  #startOf(windowMs: number): number {
    const { log } = this.#state;
    const older = log.findLast(({ atMs }) => windowMs === 0 || atMs < this.#now() - windowMs);
    return (older ?? log[0])?.seq ?? 0;
  }

  #change(orgId: string, key: SealedKey | undefined): StoreChange {
    const { log, keys } = this.#state;
    const before = keys.get(orgId);
    const next = new Map(keys);
    if (key === undefined) next.delete(orgId);
    else next.set(orgId, key);
    const seq = this.head.seq + 1;
    this.#changeIds += 1;
    const row = { seq, changeId: `m${this.#changeIds}`, orgId, atMs: this.#now() };
    this.#state = { ...this.#state, log: [...log, row].sort((a, b) => a.seq - b.seq), keys: next };
    this.#past.push(this.#state);
    this.#record(orgId);
    this.#changes.set(row.changeId, { seq, truths: this.truth.now(), timesBack: this.timesBack });
    const references: Record<string, string> = key === undefined ? {} : { [key.provider]: key.secretId };
    return { seq, secretId: before?.secretId ?? null, references };
  }

  #record(orgId: string): void {
    this.truth.record(orgId, this.#state.keys.get(orgId)?.sealed ?? null);
  }
}
