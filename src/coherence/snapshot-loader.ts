import type { Clock } from "../clock.ts";
import { within } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { CacheEvent } from "./cache-event.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { ReadResult } from "./in-flight-reads.ts";
import type { Moment } from "./moment.ts";
import { type OpenedSnapshot, openKeys } from "./opened-snapshot.ts";
import type { SharedSnapshots } from "./shared-snapshots.ts";
import type { SnapshotBatcher } from "./snapshot-batcher.ts";
import type { WorkerMemory } from "./worker-memory.ts";

export interface SnapshotLoaderOptions {
  readonly memory: WorkerMemory;
  readonly feed: ChangeFeed;
  readonly shared: SharedSnapshots | undefined;
  readonly batcher: SnapshotBatcher;
  readonly keyring: Keyring;
  readonly clock: Clock;
  /** The longest that opening a snapshot's keys may take. */
  readonly limitMs: number;
  readonly onEvent: (event: CacheEvent) => void;
}

/** Brings one organisation's snapshot into memory: from the shared cache, else from the store. */
export class SnapshotLoader {
  readonly #options: SnapshotLoaderOptions;
  #isClosed = false;

  constructor(options: SnapshotLoaderOptions) {
    this.#options = options;
  }

  /** Resolves to `undefined` when what was read may not be used. `generation`: the history's, when the read begins. */
  async load(orgId: string, generation: number): Promise<ReadResult | undefined> {
    const { shared } = this.#options;
    const cached = await shared?.find(orgId, generation);
    if (cached?.snapshot !== undefined && this.#install(cached.snapshot)) {
      return { snapshot: cached.snapshot, from: "cache" };
    }
    const snapshot = await this.#readStore(orgId, generation);
    if (snapshot === undefined) return undefined;
    if (cached?.mayReplace) shared?.keep(snapshot);
    return { snapshot, from: "store" };
  }

  /** From now on nothing is brought into memory. */
  close(): void {
    this.#isClosed = true;
  }

  async #readStore(orgId: string, generation: number): Promise<OpenedSnapshot | undefined> {
    const { batcher, keyring, clock, limitMs, memory, onEvent } = this.#options;
    const { snapshot: sealed, sentAt } = await batcher.read(orgId);
    const keys = await within(clock, limitMs, openKeys(keyring, sealed), () => slowKeyring(orgId));
    const { incarnation, asOf, changeId } = sealed;
    const snapshot: OpenedSnapshot = {
      orgId,
      incarnation,
      generation,
      asOf,
      changeId,
      readAt: sentAt,
      keys,
      made: undefined,
    };
    memory.history.observe(sealed, generation, sentAt, clock.monotonicMs());
    if ((await this.#isCertain(snapshot, sentAt)) && this.#install(snapshot)) return snapshot;
    if (!this.#isClosed) onEvent({ type: "snapshot_refused", orgId });
    return undefined;
  }

  /** Where there is doubt the log decides, read once more: it shows the row that the snapshot was read at, or another. */
  async #isCertain(snapshot: OpenedSnapshot, sentAt: Moment): Promise<boolean> {
    const { memory, feed } = this.#options;
    if (!memory.history.needsConfirmation(snapshot, sentAt)) return true;
    await feed.pollAnew().catch(() => {});
    return memory.history.hasRead(snapshot);
  }

  #install(snapshot: OpenedSnapshot): boolean {
    const { memory, shared, feed } = this.#options;
    if (this.#isClosed || !memory.install(snapshot)) return false;
    shared?.listen();
    feed.follow();
    return true;
  }
}

function slowKeyring(orgId: string): ByokError {
  const message = "The keyring did not open a key in time. Check the key service.";
  return new ByokError("store_unavailable", message, { orgId });
}
