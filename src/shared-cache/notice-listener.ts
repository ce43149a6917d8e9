import { callPort } from "../call-hook.ts";
import type { Clock } from "../clock.ts";
import type { CacheSubscription, ChangeNotice, KeyCache } from "./key-cache.ts";
import { RecentNumbers } from "./recent-numbers.ts";

/** The most notices that are remembered to have come. */
const maxRemembered = 1_000;
/** Between two subscriptions that were given up, in milliseconds: a manager without a cache never sends any. */
const renewAfterMs = 60_000;

/**
 * Listens for notices, and judges the subscription by the change log: in a cluster a lost node leaves it open and silent,
 * so a change that the log has shown and whose notice still does not come is the only sign.
 */
export class NoticeListener {
  readonly #cache: KeyCache;
  readonly #clock: Clock;
  readonly #onNotice: (notice: ChangeNotice) => void;
  readonly #came = new RecentNumbers(maxRemembered);
  #subscription: CacheSubscription | undefined;
  #missing: readonly number[] = [];
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(cache: KeyCache, clock: Clock, onNotice: (notice: ChangeNotice) => void) {
    this.#cache = cache;
    this.#clock = clock;
    this.#onNotice = onNotice;
  }

  listen(): void {
    if (this.#isClosed || this.#subscription !== undefined) return;
    const subscribe = (): CacheSubscription =>
      this.#cache.subscribe((notice) => {
        if (this.#isClosed) return;
        this.#remember(notice);
        this.#onNotice(notice);
      });
    // Without it the change log tells of every change all the same; it is tried again when notices are missed.
    this.#subscription = callPort(subscribe, undefined);
  }

  /** A scheduled poll has shown the changes behind `after` up to `upTo`. Returns `true` if the subscription was made anew. */
  judge(after: number, upTo: number): boolean {
    const isSilent = this.#missing.some((seq) => !this.#came.has(seq));
    const from = Math.max(after, upTo - maxRemembered);
    this.#missing = Array.from({ length: upTo - from }, (_, index) => from + 1 + index).filter(
      (seq) => !this.#came.has(seq),
    );
    const nowMs = this.#clock.monotonicMs();
    if (!isSilent || this.#isClosed || nowMs - this.#renewedAtMs < renewAfterMs) return false;
    this.#renewedAtMs = nowMs;
    this.#missing = [];
    this.#unsubscribe();
    this.listen();
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
  }

  #unsubscribe(): void {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    callPort(() => subscription?.close(), undefined);
  }

  #remember({ seq, firstSeq }: ChangeNotice): void {
    if (seq === null) return;
    for (let at = Math.max(firstSeq ?? seq, seq - maxRemembered + 1); at <= seq; at += 1) this.#came.add(at);
  }
}
