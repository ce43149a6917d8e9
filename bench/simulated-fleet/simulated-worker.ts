import { systemClock } from "../../src/clock.ts";
import { SnapshotCache } from "../../src/coherence/snapshot-cache.ts";
import type { Keyring, KeyStore } from "../../src/index.ts";
import type { EntryCipher } from "../../src/keyring/entry-cipher.ts";
import type { CacheSubscription, ChangeNotice, KeyCache } from "../../src/shared-cache/key-cache.ts";

/**
 * What a resolver with calls under way does beside serving them: it follows the change log and the notices. Of a resolver's
 * own code, with its defaults; nothing is resolved, and the calls are watches that last.
 */
export interface SimulatedWorker {
  begin(): Promise<void>;
  close(): void;
}

export interface SimulatedWorkerOptions {
  readonly store: KeyStore;
  readonly keyring: Keyring;
  readonly notices: NoticeHub;
  /** Organisations with a call under way. */
  readonly held: readonly string[];
}

const leaseMs = 10_000;
/** The default of a resolver. */
export const pollMs = 2_500;

export function simulateWorker({ store, keyring, notices, held }: SimulatedWorkerOptions): SimulatedWorker {
  const cipher = keyring.entryCipher as EntryCipher;
  const options = { clock: systemClock, leaseMs, pollMs, maxOrgs: 10_000, readLimitMs: 60_000, onEvent: () => {} };
  const cache = new SnapshotCache({ store, keyring, shared: { cache: notices.cacheFor(held), cipher }, ...options });
  for (const orgId of held) cache.memory.watch(orgId, () => {});
  return {
    async begin() {
      cache.shared?.listen();
      await cache.feed.poll();
      cache.feed.follow();
    },
    close: () => cache.close(),
  };
}

/** How long the numbers of changes that a worker does not hold are gathered, in milliseconds. */
const gatherMs = 500;

/**
 * One subscription for all workers of this process. A worker is told at once of what it holds, and twice a second of
 * the numbers of everything else, which a worker of its own process would be told one by one and drop.
 */
export class NoticeHub {
  readonly #real: KeyCache;
  readonly #subscription: CacheSubscription;
  readonly #gathering: NodeJS.Timeout;
  readonly #holders = new Map<string, Set<Listener>>();
  readonly #all = new Set<Listener>();
  #firstSeq: number | undefined;
  #seq = 0;

  constructor(real: KeyCache) {
    this.#real = real;
    this.#subscription = real.subscribe((notice) => {
      const { orgId, seq } = notice;
      for (const tell of this.#holders.get(orgId ?? "") ?? []) tell(notice);
      if (seq === null) return;
      this.#firstSeq = Math.min(seq, this.#firstSeq ?? seq);
      this.#seq = Math.max(seq, this.#seq);
    });
    this.#gathering = setInterval(() => this.#tellNumbers(), gatherMs);
  }

  /** As a worker that holds these organisations has it. */
  cacheFor(held: readonly string[]): KeyCache {
    const subscribe = (tell: Listener): CacheSubscription => {
      this.#all.add(tell);
      for (const orgId of held) this.#holders.set(orgId, (this.#holders.get(orgId) ?? new Set()).add(tell));
      const close = (): void => {
        this.#all.delete(tell);
        for (const orgId of held) this.#holders.get(orgId)?.delete(tell);
      };
      return { close };
    };
    return { ...this.#real, subscribe };
  }

  close(): void {
    clearInterval(this.#gathering);
    this.#subscription.close();
  }

  #tellNumbers(): void {
    const firstSeq = this.#firstSeq;
    if (firstSeq === undefined) return;
    this.#firstSeq = undefined;
    for (const tell of this.#all) tell({ orgId: "of-others", seq: this.#seq, firstSeq });
  }
}

type Listener = (notice: ChangeNotice) => void;
