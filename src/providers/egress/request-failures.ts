import { ByokError, type ByokErrorCode, isByokError } from "../../errors.ts";
import type { RefusalKind } from "../refusals/refusal.ts";
import type { KeySupply, ServingKey } from "./key-supply.ts";

/** What the requests of one slot fail with. Each says whose request it was and what to do next. */
export class RequestFailures {
  readonly #provider: string;
  readonly #supply: KeySupply;

  constructor({ provider, supply }: { readonly provider: string; readonly supply: KeySupply }) {
    this.#provider = provider;
    this.#supply = supply;
  }

  timedOut(limitMs: number): ByokError {
    const message = `"${this.#provider}" did not answer within ${limitMs} ms. Try again, or raise \`requestTimeoutMs\`.`;
    return this.#fail("request_timeout", message);
  }

  unreached(): ByokError {
    const message = `"${this.#provider}" could not be reached, or did not answer in HTTP. Check its host, then try again.`;
    return this.#fail("provider_failed", message);
  }

  brokenOff(): ByokError {
    const message = `"${this.#provider}" broke its answer off. Send the request again.`;
    return this.#fail("provider_failed", message);
  }

  redirected(): ByokError {
    const message = `"${this.#provider}" answered with a redirect, which would have taken the key along. Ask the provider's own host.`;
    return this.#fail("host_refused", message);
  }

  /** The key that a request was called with serves no longer. */
  replaced({ source }: ServingKey): ByokError {
    const whose = source === "byok" ? "organisation's" : "platform's";
    const message = `The ${whose} key of "${this.#provider}" was replaced while the request was on its way, and the request was not sent. Send it again.`;
    return this.#fail("key_replaced", message);
  }

  /** The key of a request was refused, another serves now, and what was sent cannot be sent a second time. */
  refused({ source }: ServingKey): ByokError {
    const whose = source === "byok" ? "organisation's" : "platform's";
    const message = `"${this.#provider}" refused the ${whose} key, and another serves now; what was sent cannot be sent a second time. Send it again.`;
    return this.#fail("key_replaced", message);
  }

  /** The key of a request was refused, and the request is of no use to another account. */
  bound(failure: RefusalKind): ByokError {
    const code = failure === "exhausted" ? "key_exhausted" : "key_rejected";
    const message = `"${this.#provider}" refused the organisation's key, and the request names, or may name, what only that account has, such as an earlier response, a file or a voice. Ask without it, in a text.`;
    return this.#fail(code, message);
  }

  /** A connection leads to a host that serves no longer. */
  moved(): ByokError {
    const message = `What serves "${this.#provider}" changed while a connection was being opened, and nothing was sent. Connect again.`;
    return this.#fail("key_replaced", message);
  }

  /** `error`, saying whose request it was if it is byokit's and does not say so yet. */
  place(error: Error): Error {
    if (!isByokError(error) || error.orgId !== undefined) return error;
    return this.#fail(error.code, error.message, error.retryable);
  }

  #fail(code: ByokErrorCode, message: string, isRetryable = true): ByokError {
    const { orgId, slot } = this.#supply;
    const details = { orgId, provider: this.#provider, slot };
    return new ByokError(code, message, isRetryable ? details : { ...details, retryable: false });
  }
}
