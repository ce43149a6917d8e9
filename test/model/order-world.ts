import { ByokError, isByokError } from "../../src/errors.ts";
import { createKeyManagerOn } from "../../src/manager/create-key-manager.ts";
import type { KeyManager } from "../../src/manager/key-manager.ts";
import { defineProvider } from "../../src/providers/define-provider.ts";
import type { KeyCheck, Provider } from "../../src/providers/provider.ts";
import type { NewKey, StoreChange } from "../../src/store/key-change.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import type { StoredReference } from "../../src/store/sealed-key.ts";
import { ModelDatabase } from "./model-database.ts";
import { Network } from "./network.ts";
import { keyringOn, storeOn } from "./ports.ts";
import { drain, type ProcessClock, VirtualTime } from "./virtual-time.ts";

const orgs = ["a", "b"] as const;
const verdicts = ["passed", "passed", "invalid", "unreachable"] as const;

/** A change that was asked for. */
interface Asked {
  readonly orgId: string;
  /** Of the key that is to be stored its text. */
  readonly name: string;
  readonly isRemoval: boolean;
  readonly manager: number;
  readonly caller: AbortController;
  /** The place that it took before anything else. */
  place: string | undefined;
  outcome: string | undefined;
}

/** Managers of the real code in three processes, providers that take their time, and answers that are lost. */
export class OrderWorld {
  readonly time = new VirtualTime();
  readonly network = new Network(() => new ByokError("store_unavailable", "The link is cut. Mend it."));
  readonly database: WatchedDatabase = new WatchedDatabase(() => this.time.nowMs);
  readonly violations: string[] = [];
  readonly seen = new Set<string>();
  readonly #managers: { readonly clock: ProcessClock; readonly keys: KeyManager }[];
  readonly #asked: Asked[] = [];
  /** The one that is being asked for in this turn. */
  #asking: Asked | undefined;

  constructor(random: () => number) {
    this.#managers = [0, 1, 2].map((index) => {
      const clock = this.time.process(random);
      const servers = { ...this, isKeyringRemote: false, redis: undefined as never };
      const store = this.#watch(storeOn(servers, clock), index);
      const checkLimits = { perMinute: 1_000, atOnce: 100 };
      const options = { store, keyring: keyringOn(servers, clock), providers: [this.#vendor(clock)], checkLimits };
      return { clock, keys: createKeyManagerOn(clock, { ...options, deadlineMs: 5_000 }) };
    });
  }

  change(choice: number): void {
    const orgId = orgs[choice % 2] as string;
    const manager = Math.floor(choice / 2) % 3;
    const isRemoval = Math.floor(choice / 6) % 3 === 0;
    const name = isRemoval ? "a removal" : `key-${this.#asked.length}-${verdicts[Math.floor(choice / 18) % 4]}`;
    const caller = new AbortController();
    const asked: Asked = { orgId, name, isRemoval, manager, caller, place: undefined, outcome: undefined };
    this.#asked.push(asked);
    const { keys } = this.#managers[manager] as { keys: KeyManager };
    const { signal } = caller;
    this.#asking = asked;
    const work = isRemoval
      ? keys.remove(orgId, { provider: "ada", signal })
      : keys.set(orgId, { provider: "ada", apiKey: name, region: null, signal });
    this.#asking = undefined;
    work.then(
      () => this.#end(asked, "stored"),
      (error: unknown) => this.#end(asked, isByokError(error) ? error.code : "gone"),
    );
  }

  /** Some caller goes away. */
  hangUp(choice: number): void {
    this.#asked[choice % Math.max(1, this.#asked.length)]?.caller.abort(new Error("gone"));
  }

  advance(ms: number): void {
    this.time.nowMs += ms;
    for (const { clock } of this.#managers) clock.fire();
  }

  /** Lets everything arrive that is under way, and then says what does not fit together. */
  async settle(): Promise<void> {
    const isOpen = ({ outcome }: Asked): boolean => outcome === undefined;
    for (let turn = 0; turn < 1_000 && (this.#asked.some(isOpen) || this.network.size > 0); turn += 1) {
      if (this.network.size === 0) this.advance(1_000);
      this.network.step(0);
      await drain();
    }
    for (const { orgId, name, isRemoval, outcome } of this.#asked) {
      const isStored = this.database.stored.has(name);
      const isRefused = outcome === "key_changed" || outcome === "key_rejected";
      if (outcome === undefined) this.violations.push(`never ended, ${name} of ${orgId}`);
      if (outcome === "stored" && !isStored && !isRemoval) this.violations.push(`not stored, ${name} of ${orgId}`);
      if (isRefused && isStored) this.violations.push(`${outcome} and stored all the same, ${name} of ${orgId}`);
    }
  }

  #end(asked: Asked, outcome: string): void {
    asked.outcome = outcome;
    this.seen.add(outcome);
    const isNewest = this.#newest(asked) === asked && this.database.isNewest(asked.orgId, asked.place);
    if (outcome === "key_changed" && isNewest) this.violations.push(`overtaken by nobody, ${asked.name}`);
  }

  /** The change of the same key that was asked for last in the same process. */
  #newest({ orgId, manager }: Pick<Asked, "orgId" | "manager">): Asked | undefined {
    return this.#asked.findLast((other) => other.orgId === orgId && other.manager === manager);
  }

  /** Judges every change in the turn in which it is sent. */
  #watch(store: KeyStore, manager: number): KeyStore {
    const judge = (asked: Asked): void => {
      if (asked.caller.signal.aborted) this.violations.push(`sent for a caller that had gone, ${asked.name}`);
      if (this.#newest(asked) !== asked) this.violations.push(`sent when a later change was asked for, ${asked.name}`);
    };
    return {
      ...store,
      takePlaces: async (refs, place) => {
        if (this.#asking !== undefined) this.#asking.place = place;
        return await store.takePlaces(refs, place);
      },
      put: async (key) => {
        const asked = this.#asked.find(({ name }) => name === key.sealed) as Asked;
        judge(asked);
        if (key.place !== asked.place) this.violations.push(`stored in another place than it took, ${key.sealed}`);
        return await store.put(key);
      },
      remove: async (ref, by) => {
        const newest = this.#newest({ orgId: ref.orgId, manager });
        if (newest !== undefined) judge(newest);
        return await store.remove(ref, by);
      },
    };
  }

  #vendor(clock: ProcessClock): Provider {
    return defineProvider({
      id: "ada",
      name: "Ada",
      category: "llm",
      docsUrl: "https://vendor.example",
      serves: ["llm"],
      endpoint: { baseUrl: "https://ada.example", websocketUrl: "wss://ada.example" },
      models: [],
      connect: (egress) => egress,
      check: ({ key }): Promise<KeyCheck> => {
        const { orgId, place } = this.#asked.find(({ name }) => name === key.reveal()) as Asked;
        if (!this.database.hasGiven(orgId, place)) this.violations.push(`checked before it had its place, ${orgId}`);
        const verdict = key.reveal().split("-").at(-1) as (typeof verdicts)[number];
        return this.network.send("provider", clock, () => ({ verdict }));
      },
    });
  }
}

/** A database that remembers which places it gave away, and what it stored. */
class WatchedDatabase extends ModelDatabase {
  readonly stored = new Set<string>();
  readonly #places = new Map<string, string[]>();

  override takePlace(orgId: string, place: string): StoredReference | null {
    this.#places.set(orgId, [...(this.#places.get(orgId) ?? []), place]);
    return super.takePlace(orgId, place);
  }

  override put(key: NewKey): StoreChange | undefined {
    const change = super.put(key);
    if (change !== undefined) this.stored.add(key.sealed);
    return change;
  }

  hasGiven(orgId: string, place: string | undefined): boolean {
    return place !== undefined && (this.#places.get(orgId) ?? []).includes(place);
  }

  isNewest(orgId: string, place: string | undefined): boolean {
    return this.#places.get(orgId)?.at(-1) === place;
  }
}
