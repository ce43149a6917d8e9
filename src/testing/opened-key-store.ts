import type { KeyStore } from "../store/key-store.ts";

/** The runner's own `it` or `test`. */
export type Test = (name: string, run: () => Promise<void>) => unknown;

/** A new, empty store on which `migrate()` has not been called. */
export interface OpenedKeyStore {
  readonly store: KeyStore;
  /** Another handle on the same data, as a second process would have it. */
  again(): Promise<KeyStore>;
}

/** What can happen to a store that outlives its process. Left out for one that does not. */
export interface KeyStoreFaults<Opened extends OpenedKeyStore> {
  /** A writer stops in the middle of a change, and goes on when the answer is called. */
  stopWriter?(opened: Opened): Promise<() => Promise<void>>;
  /** Keeps a copy of the data; the answer puts it in their place, as a restored backup or a promoted standby does. */
  backup?(opened: Opened): Promise<() => Promise<KeyStore>>;
}
