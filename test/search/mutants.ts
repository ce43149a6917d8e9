import { allGuards } from "../guards/all-guards.ts";
import { invariants } from "../support/invariants.ts";
import type { Edit } from "./edit-on-load.ts";

/** A fault that an invariant excludes, put back. */
export interface Mutant {
  readonly invariant: string;
  /** Of the guard that it takes out. */
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** A guard whose absence the model cannot see. */
export interface Unseen {
  readonly invariant: string;
  readonly name: string;
  readonly why: string;
}

const reasons: Readonly<Record<string, string>> = {};

const guards = allGuards.flatMap(([, each]) => each).filter(({ file }) => file.startsWith("coherence/"));
const named = invariants.flatMap(({ id, guards: names }) =>
  [...new Set(names)].map((name) => ({ invariant: id, name })),
);

export const unseen: readonly Unseen[] = named.flatMap(({ invariant, name }) => {
  const why = reasons[name];
  return why === undefined ? [] : [{ invariant, name, why }];
});

/** Every guard that an invariant names, taken out: the texts are those of test/guards. */
export const mutants: readonly Mutant[] = named
  .filter(({ name }) => reasons[name] === undefined)
  .flatMap(({ invariant, name }) => {
    const seen = new Set<string>();
    return guards
      .filter((guard) => guard.name === name)
      .map(({ file, find, replace, also }) => {
        const edits = [{ file, find, replace }, ...(also === undefined ? [] : [{ file, ...also }])];
        return { invariant, name, edits };
      })
      .filter(({ edits }) => {
        const key = JSON.stringify(edits);
        const isNew = !seen.has(key);
        seen.add(key);
        return isNew;
      });
  });
