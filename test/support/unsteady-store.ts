import { ByokError } from "../../src/errors.ts";
import type { KeyStore } from "../../src/store/key-store.ts";

/** A real store behind a link that a test can cut, hold back and count. */
export interface UnsteadyStore extends KeyStore {
  /** While true every call fails as an unreachable database does. */
  isDown: boolean;
  /** How many statements of each kind were sent. */
  readonly sent: { snapshots: number; polls: number; describes: number; puts: number };
  /** From now on answers wait; the returned function lets those through that wait. */
  hold(): () => void;
  /** Later answers pass again; those that wait go on waiting. */
  flow(): void;
}

export function unsteadyStore(store: KeyStore): UnsteadyStore {
  let gate: Promise<void> = Promise.resolve();
  const through = async <T>(call: () => Promise<T>): Promise<T> => {
    if (unsteady.isDown) throw new ByokError("store_unavailable", "The link is cut. Mend it.");
    const answer = await call();
    await gate;
    return answer;
  };
  const unsteady: UnsteadyStore = {
    isDown: false,
    sent: { snapshots: 0, polls: 0, describes: 0, puts: 0 },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    flow() {
      gate = Promise.resolve();
    },
    migrate: () => through(() => store.migrate()),
    snapshots(orgIds) {
      unsteady.sent.snapshots += 1;
      return through(() => store.snapshots(orgIds));
    },
    poll(cursor) {
      unsteady.sent.polls += 1;
      return through(() => store.poll(cursor));
    },
    takePlaces: (refs, place) => through(() => store.takePlaces(refs, place)),
    put(key) {
      unsteady.sent.puts += 1;
      return through(() => store.put(key));
    },
    putMany(keys) {
      unsteady.sent.puts += 1;
      return through(() => store.putMany(keys));
    },
    remove: (ref, by) => through(() => store.remove(ref, by)),
    describe(orgId) {
      unsteady.sent.describes += 1;
      return through(() => store.describe(orgId));
    },
    noteAttempt: (ref, by) => through(() => store.noteAttempt(ref, by)),
    ...(store.noteUse && { noteUse: (use) => through(async () => (await store.noteUse?.(use)) === true) }),
    noteCheck: (check) => through(() => store.noteCheck(check)),
    findContradictions: (limit) => through(() => store.findContradictions(limit)),
    audit: (orgId, page) => through(() => store.audit(orgId, page)),
    close: () => store.close(),
  };
  return unsteady;
}
