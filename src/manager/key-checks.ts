import type { Clock } from "../clock.ts";
import { Deadline } from "../deadline.ts";
import { ByokError, isByokError } from "../errors.ts";
import { type DeclaredEndpoint, findEndpoint } from "../providers/endpoints.ts";
import type { Provider } from "../providers/provider.ts";
import type { Secret } from "../secret.ts";
import type { CheckLimiter } from "./check-limiter.ts";
import type { KeyChange, Verification } from "./key-manager.ts";

/** The longest that a provider is waited for; the rest of the deadline is the store's. */
const maxCheckMs = 4_000;
/** What is left for the store. */
const storeShare = 0.2;

type Checked = Pick<Verification, "verdict" | "reason">;
/** What was said of a key that is stored. */
export type Admitted = Pick<KeyChange, "verdict" | "reason">;

/** Asks providers for keys. A provider that is down, slow or limits rates never speaks against a key. */
export class KeyChecks {
  readonly #endpoints: ReadonlyMap<string, DeclaredEndpoint>;
  readonly #clock: Clock;
  readonly #limiter: CheckLimiter;
  readonly #limitMs: number;

  constructor(
    endpoints: ReadonlyMap<string, DeclaredEndpoint>,
    clock: Clock,
    deadlineMs: number,
    limiter: CheckLimiter,
  ) {
    this.#endpoints = endpoints;
    this.#clock = clock;
    this.#limiter = limiter;
    this.#limitMs = Math.min(maxCheckMs, deadlineMs * (1 - storeShare));
  }

  /**
   * Asks until `signal` is aborted: the check ends with its reason then.
   *
   * @throws ByokError `key_rejected` when the provider says that the key is not valid; `checks_limited`.
   */
  async admit(
    orgId: string,
    provider: Provider,
    key: Secret,
    region: string | null,
    signal: AbortSignal,
  ): Promise<Admitted> {
    const { verdict, reason } = await this.ask(orgId, provider, key, region, this.#limitMs, signal);
    if (verdict !== "invalid") return { verdict, ...(reason === undefined ? {} : { reason }) };
    const why = reason === "blocked" ? "is blocked" : "is not valid";
    const message = `"${provider.id}" says that the key ${why}. Copy the key again from the provider's console, or make a new one.`;
    throw new ByokError("key_rejected", message, { orgId, provider: provider.id, reason });
  }

  /**
   * Asks within `limitMs`, where less is left than a provider may take.
   *
   * @throws ByokError `checks_limited`. A check that is skipped counts for nothing.
   */
  async ask(
    orgId: string,
    provider: Provider,
    key: Secret,
    region: string | null,
    limitMs: number,
    signal?: AbortSignal,
  ): Promise<Checked> {
    const withinMs = Math.max(1, Math.min(limitMs, this.#limitMs));
    const endpoint = findEndpoint(provider, region, this.#endpoints.get(provider.id));
    if (provider.check === undefined || endpoint === undefined) return { verdict: "skipped" };
    const { baseUrl, websocketUrl } = endpoint;
    const credential = { key, region, baseUrl, websocketUrl, requestTimeoutMs: withinMs };
    const end = this.#limiter.begin(orgId, provider.id);
    const ending = new AbortController();
    try {
      const check = provider.check(credential, ending.signal);
      const deadline = new Deadline(this.#clock, withinMs, signal === undefined ? [] : [signal], () =>
        silent(provider),
      );
      const { verdict, reason } = await deadline.race(check);
      return { verdict, ...(reason === undefined ? {} : { reason }) };
    } catch (error) {
      signal?.throwIfAborted();
      const isSilent = isByokError(error) && error.code === "request_timeout";
      return { verdict: "unreachable", reason: isSilent ? "timeout" : "provider_error" };
    } finally {
      ending.abort();
      end();
    }
  }
}

function silent({ id }: Provider): ByokError {
  return new ByokError("request_timeout", `"${id}" did not answer. Try again.`, { provider: id });
}
