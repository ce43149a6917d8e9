import { ByokError, isByokError } from "../../errors.ts";
import type { Aim } from "./aim.ts";
import { guardResponse } from "./guarded-response.ts";
import { type Dispatcher, guardHead } from "./head-guard.ts";
import { isReplayable } from "./is-replayable.ts";
import { KeyScrubber } from "./key-scrubber.ts";
import { isSameKey, type KeySupply, type ServingKey } from "./key-supply.ts";
import { readInit } from "./read-init.ts";
import { requestDeadline } from "./request-deadline.ts";
import type { HeaderRules } from "./request-headers.ts";
import { dispatcherFor } from "./runtime-dispatcher.ts";

export interface SlotFetchOptions {
  readonly provider: string;
  readonly supply: KeySupply;
  readonly aim: Aim;
  readonly headerRules: HeaderRules;
  /** The longest until an answer begins, and for each pending read of its body, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Whether the key is taken out of answers. */
  readonly scrubs: boolean;
  /** Whether a request that a broken connection took may be sent again although it may have arrived. */
  readonly mayRepeat: boolean;
}

/** How often a request is decided anew because its key changed on the way to its connection. */
const maxDecisions = 4;

/** A key that was decided for a request serves no longer: found when its head was to be written. */
class KeyChanged extends Error {}

/**
 * A slot's `fetch`. Each request is decided when it is called and asked about once more as its head is written: it carries
 * the key that serves at that moment, to that key's host, and no credential of anybody else's.
 */
export function createSlotFetch(options: SlotFetchOptions): typeof fetch {
  const { supply } = options;
  return async (input, given = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    // OpenAI's SDK asks in this way whether there is a `fetch`.
    if (url.startsWith("data:")) return await globalThis.fetch(url);
    const init = readInit(input as string | URL | Request, given);
    init.signal?.throwIfAborted();
    const attempt = new Attempt(options, url, init);
    return await attempt.send(supply.peek() ?? (await supply.decide(init.signal)));
  };
}

/** One request of a caller's, however often it is put on its way. */
class Attempt {
  readonly #options: SlotFetchOptions;
  readonly #url: string;
  readonly #init: RequestInit;
  readonly #startedAtMs: number = performance.now();
  readonly #ending: AbortController = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: SlotFetchOptions, url: string, init: RequestInit) {
    this.#options = options;
    this.#url = url;
    this.#init = init;
    const { signal } = init;
    this.#signal = signal == null ? this.#ending.signal : AbortSignal.any([this.#ending.signal, signal]);
  }

  async send(first: ServingKey): Promise<Response> {
    const { requestTimeoutMs, provider, supply } = this.#options;
    const deadline = requestDeadline.getStore();
    const limitMs = Math.min(requestTimeoutMs, deadline?.leftMs() ?? requestTimeoutMs);
    const expiry = (): ByokError => requestTimeout(provider, deadline?.limitMs ?? requestTimeoutMs);
    if (limitMs <= 0) throw expiry();
    const timer = setTimeout(() => this.#ending.abort(expiry()), limitMs);
    let serving = first;
    try {
      let mayRepeat = this.#options.mayRepeat || isRepeatable(this.#init);
      for (let decisions = 1; ; ) {
        try {
          return await this.#sendOnce(serving);
        } catch (error) {
          if (!isReplayable(this.#init.body) || this.#signal.aborted) throw this.#toFailure(error, serving);
          if (error instanceof KeyChanged && decisions < maxDecisions) {
            decisions += 1;
            serving = await supply.decide(this.#signal);
          } else if (mayRepeat && isConnectionLost(error)) mayRepeat = false;
          else throw this.#toFailure(error, serving);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #sendOnce(serving: ServingKey): Promise<Response> {
    const { supply, aim, headerRules, provider, requestTimeoutMs, scrubs } = this.#options;
    const url = aim.at(this.#url, serving, "baseUrl");
    const headers = new Headers(this.#init.headers);
    for (const name of [...headers.keys()]) if (!headerRules.allows(name)) headers.delete(name);
    headers.set(...headerRules.show(serving.key));
    let changed: unknown;
    const confirm = (): void => {
      try {
        const now = supply.peek();
        if (now === undefined || !isSameKey(now, serving)) throw new KeyChanged();
      } catch (error) {
        changed = error;
        throw error;
      }
    };
    const own = (this.#init as { dispatcher?: Dispatcher }).dispatcher;
    const dispatcher = guardHead(own ?? dispatcherFor(url), confirm);
    const scrubber = KeyScrubber.of(serving.key);
    let status: number | null = null;
    try {
      const init = Object.assign({}, this.#init, {
        headers,
        dispatcher,
        redirect: "error",
        signal: this.#signal,
      });
      const response = await globalThis.fetch(url, init);
      status = response.status;
      return await guardResponse(response, {
        limitMs: requestTimeoutMs,
        expiry: () => requestTimeout(provider, requestTimeoutMs),
        end: (error) => this.#ending.abort(error),
        scrubber: scrubs ? scrubber : undefined,
      });
    } catch (error) {
      throw changed ?? withoutKey(error, scrubber, provider);
    } finally {
      if (!(changed instanceof KeyChanged)) this.#report(serving, status);
    }
  }

  #report(serving: ServingKey, status: number | null): void {
    this.#options.supply.onRequest({ serving, status, durationMs: performance.now() - this.#startedAtMs });
  }

  /** What is left of a key that changed on the way when nothing may be sent again. */
  #toFailure(error: unknown, serving: ServingKey): unknown {
    if (!(error instanceof KeyChanged)) return error;
    if (this.#signal.aborted) return this.#signal.reason;
    const { provider } = this.#options;
    const what = serving.source === "byok" ? "organisation's key" : "platform's key";
    const message = `The ${what} of "${provider}" was replaced while the request was on its way, and the request was not sent. Send it again.`;
    return new ByokError("key_replaced", message, { provider });
  }
}

/** Whether a request may arrive twice: by its method, or because the provider drops repetitions of its own accord. */
function isRepeatable({ method = "GET", headers }: RequestInit): boolean {
  return /^(?:get|head|put|delete|options)$/iu.test(method) || new Headers(headers).has("idempotency-key");
}

/** Whether a connection was closed under a request before an answer came, as an idle one is that the server gives up. */
function isConnectionLost(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = typeof cause === "object" && cause !== null ? Reflect.get(cause, "code") : undefined;
  return typeof code === "string" && ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(code);
}

/**
 * What `fetch` throws keeps its name and its code. What may hold the request or the answer is replaced rather than masked: a
 * parser's error has the bytes that came, and an echo of the request's head among them.
 */
function withoutKey(error: unknown, scrubber: KeyScrubber, provider: string): unknown {
  if (isByokError(error) || !(error instanceof TypeError)) return error;
  const cause: unknown = error.cause;
  if (isByokError(cause)) return cause;
  const code = typeof cause === "object" && cause !== null ? Reflect.get(cause, "code") : undefined;
  if (typeof code !== "string") return error;
  const message = scrubber.scrub(cause instanceof Error ? cause.message : "");
  const isParserError = code.startsWith("HPE_");
  const shown = isParserError ? `"${provider}" did not answer in HTTP.` : message;
  return new TypeError(error.message, { cause: Object.assign(new Error(shown), { code }) });
}

function requestTimeout(provider: string, limitMs: number): ByokError {
  const message = `"${provider}" did not answer within ${limitMs} ms. Try again, or raise \`requestTimeoutMs\`.`;
  return new ByokError("request_timeout", message, { provider });
}
