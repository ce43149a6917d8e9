import type { ByokError } from "../../errors.ts";
import type { Aim } from "./aim.ts";
import { guardAnswer, readRefusal } from "./fetch-answer.ts";
import { isConnectionLost, toFailure } from "./fetch-failure.ts";
import { dropUrlCredentials } from "./foreign-credentials.ts";
import { type Dispatcher, HeadGuard } from "./head-guard.ts";
import { isReplayable } from "./is-replayable.ts";
import { KeyScrubber } from "./key-scrubber.ts";
import type { KeySupply, RefusedKey, SentRequest, ServingKey } from "./key-supply.ts";
import { keyIfIdempotent, mayRepeat } from "./may-repeat.ts";
import { namesAccountState } from "./names-account-state.ts";
import { SentInit } from "./read-init.ts";
import { requestDeadline } from "./request-deadline.ts";
import type { RequestFailures } from "./request-failures.ts";
import type { HeaderRules } from "./request-headers.ts";
import { dispatcherFor } from "./runtime-dispatcher.ts";
import type { Vendor } from "./vendor.ts";

export interface FetchAttemptOptions {
  readonly failures: RequestFailures;
  readonly supply: KeySupply;
  readonly aim: Aim;
  readonly headerRules: HeaderRules;
  /** The longest until an answer begins, and for each pending read of its body, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Whether the key is taken out of answers. */
  readonly scrubs: boolean;
  readonly vendor: Pick<Vendor, "repeatable" | "idempotent" | "accountState" | "refusals">;
}

/** How often a request is decided anew because its key changed on the way to its connection. */
const maxDecisions = 4;

/** How many keys of one request are refused before it is given up: an organisation's, the one that replaced it, the platform's. */
const maxRefusals = 3;

/** A key that was decided for a request serves no longer: found when its head was to be written. */
class KeyChanged extends Error {}

/** One request of a caller's, however often it is put on its way. */
export class FetchAttempt {
  readonly #options: FetchAttemptOptions;
  readonly #url: string;
  readonly #init: SentInit;
  readonly #headers: RequestInit["headers"];
  readonly #dispatcher: Dispatcher | undefined;
  #startedAtMs: number = performance.now();
  #guard: HeadGuard | undefined;
  /** What was sent last, and is not reported yet. */
  #sent: SentRequest | undefined;
  /** Why it has ended before it was answered. */
  #ended: Error | undefined;

  constructor(options: FetchAttemptOptions, url: string, init: SentInit) {
    this.#options = options;
    this.#url = url;
    this.#init = init;
    this.#headers = keyIfIdempotent(options.vendor, { url, method: init.method, headers: init.headers });
    this.#dispatcher = init.dispatcher;
  }

  /** Settles by the deadline, whatever becomes of the connection. */
  async send(first: ServingKey): Promise<Response> {
    const { requestTimeoutMs, failures } = this.#options;
    const deadline = requestDeadline.getStore();
    const limitMs = Math.min(requestTimeoutMs, deadline?.leftMs() ?? requestTimeoutMs);
    const expiry = (): ByokError => failures.timedOut(deadline?.limitMs ?? requestTimeoutMs);
    if (limitMs <= 0) throw expiry();
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const timer = setTimeout(() => {
      this.#ended = expiry();
      this.#guard?.end(this.#ended);
      reject(this.#ended);
    }, limitMs);
    this.#sendUntilDecided(first).then(resolve, reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#report();
    }
  }

  async #sendUntilDecided(first: ServingKey): Promise<Response> {
    const { supply, vendor } = this.#options;
    const isReplayableBody = isReplayable(this.#init.body);
    let isRepeated = false;
    let serving = first;
    for (let decisions = 1, refusals = 0; ; ) {
      try {
        const answer = await this.#sendOnce(serving, first);
        const refusal = supply.replace && (await readRefusal(answer, vendor.refusals));
        if (refusal === undefined) return answer;
        refusals += 1;
        serving = await this.#replace({ serving, request: this, refusal }, refusals);
      } catch (error) {
        const isOver = this.#ended !== undefined || this.#init.signal?.aborted === true;
        if (error instanceof KeyChanged) {
          if (isOver || !isReplayableBody || decisions >= maxDecisions) throw this.#toReplaced(serving);
          decisions += 1;
          serving = await supply.decide(this.#init.signal);
        } else if (!isOver && isReplayableBody && !isRepeated && isConnectionLost(error) && this.#mayRepeat())
          isRepeated = true;
        else throw error;
      }
    }
  }

  async #sendOnce(serving: ServingKey, before: ServingKey): Promise<Response> {
    const { aim, failures, headerRules, scrubs, vendor } = this.#options;
    const { standsInFor } = serving;
    const asked = { url: this.#url, headers: this.#headers, body: this.#init.body };
    if (standsInFor !== undefined && namesAccountState(vendor.accountState, asked)) {
      throw failures.bound(standsInFor);
    }
    const url = dropUrlCredentials(aim.at(this.#url, serving, "baseUrl", before));
    let changed: unknown;
    this.#guard = new HeadGuard(this.#dispatcher ?? dispatcherFor(url), () => {
      try {
        this.#confirm(serving);
      } catch (error) {
        changed = error;
        throw error;
      }
    });
    if (this.#ended !== undefined) throw this.#ended;
    const scrubber = KeyScrubber.of(serving.key);
    // Of this attempt alone: what holds the answer does not hold the key, and a `fetch` that was wrapped may read it late.
    const init = Object.assign(new SentInit(), this.#init);
    init.dispatcher = this.#guard;
    init.headers = headerRules.apply(this.#headers, serving);
    try {
      const response = await globalThis.fetch(url, init as unknown as RequestInit);
      this.#note(serving, response.status);
      return await guardAnswer(response, this.#options, this.#init.signal, scrubs ? scrubber : undefined);
    } catch (error) {
      if (changed instanceof KeyChanged) throw changed;
      if (this.#sent === undefined) this.#note(serving, null);
      throw changed ?? toFailure(error, scrubber, () => failures.unreached());
    }
  }

  #confirm(serving: ServingKey): void {
    if (!this.#options.supply.mayLeave(serving, this)) throw new KeyChanged();
  }

  /** What serves the request instead of a key that was refused. */
  async #replace(refused: RefusedKey, refusals: number): Promise<ServingKey> {
    const { supply, failures } = this.#options;
    const { signal, body } = this.#init;
    try {
      const next = await (supply as Required<KeySupply>).replace(refused, signal);
      if (this.#ended !== undefined) throw this.#ended;
      if (!isReplayable(body) || refusals >= maxRefusals) throw failures.refused(refused.serving);
      return next;
    } finally {
      this.#report();
      this.#startedAtMs = performance.now();
    }
  }

  #mayRepeat(): boolean {
    const { method } = this.#init;
    return mayRepeat(this.#options.vendor, { url: this.#url, method, headers: this.#headers });
  }

  #note(serving: ServingKey, status: number | null): void {
    this.#sent = { serving, request: this, status, durationMs: performance.now() - this.#startedAtMs };
  }

  #report(): void {
    if (this.#sent !== undefined) this.#options.supply.onRequest(this.#sent);
    this.#sent = undefined;
  }

  /** What is left of a key that changed on the way when nothing may be sent again. */
  #toReplaced(serving: ServingKey): unknown {
    const { signal } = this.#init;
    if (signal?.aborted === true) return signal.reason;
    return this.#ended ?? this.#options.failures.replaced(serving);
  }
}
