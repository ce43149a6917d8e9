import { allGuards } from "../guards/all-guards.ts";
import { invariants } from "../support/invariants.ts";
import type { Edit } from "./edit-on-load.ts";

/** A fault that an invariant excludes, put back. */
export interface Mutant {
  readonly invariant: string;
  /** Of the guard that it takes out; of several that take out the same, all of them. */
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Whether it takes a worker that has forgotten rows: only schedules in miniature are played. */
  readonly needsForgetting: boolean;
}

/** A guard whose absence the model cannot see. */
export interface Unseen {
  readonly invariant: string;
  readonly name: string;
  readonly why: string;
}

const behind = "another rule refuses the same snapshots; out together with it they are `reads of an older generation`";
const oneReader =
  "a worker reads one page at a time: only what it has begun with is contradicted, and the next page decides that too; test/coherence sees it";
const pace = "how often the log is read, which costs and hands out nothing; test/shared-cache/notices.test.ts sees it";
const gone = "the row that was read last is then gone or another one, which is found as well; test/coherence sees it";
const told = "what an operator is told; test/resolver/restored-database.test.ts sees it";
const cost = "what it costs, not what is handed out; its own test sees it";

const reasons: Readonly<Record<string, string>> = {
  "the incarnation": behind,
  "the generation": behind,
  "a generation per flush": behind,
  "a head that went back": gone,
  "a log without gaps": gone,
  "rows that follow each other":
    "only a log with a gap has such rows, and that is another history before; test/coherence sees it",
  "rows that a later page refutes":
    "without it more is refused, and nothing else is handed out; test/coherence sees it",
  "rows that the ring has lost": "without it more is refused, and nothing else is handed out; test/coherence sees it",
  "pages that contradict each other": oneReader,
  "what was lost": told,
  "an event of what was lost": told,
  "an end of a lease that is past it":
    "the key is within its lease by the clock that was not set back; test/resolver sees it",
  "the part of a page that is news": "without it the page is read again; test/coherence sees it",
  "no poll of an empty memory": cost,
  "shared reads": cost,
  "a read per fence":
    "what an older read brings is refused, and its caller waits longer; test/resolver/coherence.test.ts sees it",
  "calls before the log was read": "how long a first call waits; test/resolver/long-log.test.ts sees it",
  "entries that are too large to open": "no entry of the model is large; test/shared-cache sees it",
  "entries of a release without accounts": "all workers of the model are of one release; test/keyring sees it",
  "a poll for a notice": pace,
  "a poll for a batch's notice": pace,
  "polls that notices may cause in vain": pace,
  "polls that show what matters": pace,
  "polls that only show others' changes": pace,
  "polls a second, whatever they show": pace,
  "a gap between polls": pace,
  "five milliseconds between polls": pace,
  "a notice during a poll": pace,
  "no poll for what was shown": pace,
  "changes that came without their notices": pace,
  "a last word for who watches": "what slots of a closed resolver are told; test/resolver/held-slot.test.ts sees it",
  "restamped snapshots": "without it more is refused, and nothing else is handed out; test/coherence sees it",
  "a bound of the rows that are known": "how much is remembered of rows; test/coherence/change-ids.test.ts sees it",
};

const forgetting: readonly string[] = [
  "what is held of a row that is not known any more",
  "reads of rows that are not known",
  "snapshots that the log has refuted",
];

const guards = allGuards.flatMap(([, each]) => each).filter(({ file }) => file.startsWith("coherence/"));
const named = invariants.flatMap(({ id, guards: names }) =>
  [...new Set(names)].map((name) => ({ invariant: id, name })),
);

export const unseen: readonly Unseen[] = named.flatMap(({ invariant, name }) => {
  const why = reasons[name];
  return why === undefined ? [] : [{ invariant, name, why }];
});

/** Every guard that an invariant names, taken out: the texts are those of test/guards. */
export const mutants: readonly Mutant[] = listMutants();

function listMutants(): Mutant[] {
  const byEdits = new Map<string, Mutant>();
  for (const { invariant, name } of named.filter((one) => reasons[one.name] === undefined)) {
    for (const { file, find, replace, also } of guards.filter((guard) => guard.name === name)) {
      const edits = [{ file, find, replace }, ...(also === undefined ? [] : [{ file, ...also }])];
      const key = JSON.stringify(edits);
      const same = byEdits.get(key);
      const names = [...new Set([...(same?.name.split("; ") ?? []), name])].join("; ");
      const needsForgetting = forgetting.includes(name);
      byEdits.set(key, { invariant: same?.invariant ?? invariant, name: names, edits, needsForgetting });
    }
  }
  return [...byEdits.values()];
}
