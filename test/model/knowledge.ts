import { History } from "../../src/coherence/history.ts";
import type { OpenedSnapshot } from "../../src/coherence/opened-snapshot.ts";
import type { WorkerMemory } from "../../src/coherence/worker-memory.ts";
import type { LogPage } from "../../src/store/change-log.ts";
import type { KeySnapshot } from "../../src/store/sealed-key.ts";
import type { ModelDatabase } from "./model-database.ts";
import type { Truths } from "./truth.ts";

/** What the database showed when it executed a request, and to whom. */
interface Shown {
  readonly knowledge: Knowledge;
  readonly database: ModelDatabase;
  readonly truths: Truths;
  readonly timesBack: number;
}

const shown = new WeakMap<LogPage | KeySnapshot, Shown>();
/** Of every history whose it is. */
const owners = new WeakMap<History, Knowledge>();

/** Per organisation the newest of its truths that a worker knows of: it must hand out nothing that is older. */
export class Knowledge {
  readonly #truths = new Map<string, number>();
  /** What this worker's memory has taken in last, newest first: a call may hold any of it. */
  readonly taken: { readonly memory: WorkerMemory; readonly snapshot: OpenedSnapshot }[] = [];
  /** How often the database had gone back when the worker last heard of its head; -1 when it never has. */
  timesBack = -1;

  of(orgId: string): number {
    return this.#truths.get(orgId) ?? 0;
  }

  add(truths: Truths): void {
    for (const [orgId, truth] of truths) this.#truths.set(orgId, Math.max(truth, this.of(orgId)));
  }

  /** Counts from the turn on in which the worker's history takes the reply in. */
  expect<T extends LogPage | KeySnapshot>(reply: T, database: ModelDatabase): T {
    shown.set(reply, { knowledge: this, database, truths: database.truth.now(), timesBack: database.timesBack });
    return reply;
  }
}

/**
 * Follows what every worker's history takes in. Who begins with a page knows every change up to the row it starts
 * behind, although it never reads them, and so does who begins with a snapshot or anew at the head; who has read to the
 * head knows all that was true then. A page that is passed over as overtaken tells nothing.
 */
export function watchKnowledge(): void {
  const { applyPage, observe } = History.prototype;

  History.prototype.observe = function (snapshot, ...how) {
    const isBeginning = this.following === undefined;
    own(this, snapshot as KeySnapshot);
    observe.call(this, snapshot, ...how);
    if (isBeginning && this.following !== undefined) showRow(snapshot as KeySnapshot, snapshot.changeId);
  };

  History.prototype.applyPage = function (page, request, nowMs, onChange) {
    own(this, page);
    const outcome = applyPage.call(this, page, request, nowMs, onChange);
    if (outcome === "more" || outcome === "behind") showRow(page, page.changes.at(-1)?.changeId ?? page.afterChangeId);
    else if (outcome !== "overtaken" && outcome !== "contradicted") showHead(page);
    return outcome;
  };
}

/** The knowledge of the worker whose history that is; `undefined` before anything was read. */
export const knowledgeOf = (history: History): Knowledge | undefined => owners.get(history);

function own(history: History, reply: LogPage | KeySnapshot): void {
  const knowledge = shown.get(reply)?.knowledge;
  if (knowledge !== undefined && !owners.has(history)) owners.set(history, knowledge);
}

function showHead(page: LogPage): void {
  const { knowledge, truths, timesBack } = shown.get(page) as Shown;
  knowledge.add(truths);
  knowledge.timesBack = timesBack;
}

function showRow(reply: LogPage | KeySnapshot, changeId: string | null): void {
  const { knowledge, database } = shown.get(reply) as Shown;
  knowledge.add(database.changeOf(changeId ?? "")?.truths ?? new Map());
}
