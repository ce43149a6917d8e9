import type { Clock } from "../clock.ts";
import { Deadline } from "../deadline.ts";
import { ByokError, isByokError } from "../errors.ts";
import { copyOwn, isRecord, ownProperty } from "../own-property.ts";
import { type DeclaredEndpoint, findEndpoint } from "../providers/endpoints.ts";
import type { Credential, KeyCheck, Provider } from "../providers/provider.ts";
import type { CheckLimiter } from "./check-limiter.ts";
import { explainRejection } from "./explain-rejection.ts";
import type { KeyChange, Verification } from "./key-manager.ts";

/** The longest that a provider is waited for; the rest of the deadline is the store's. */
const maxCheckMs = 4_000;
/** What is left for the store. */
const storeShare = 0.2;

type Checked = Pick<Verification, "verdict" | "reason">;
/** What was said of a key that is stored. */
export type Admitted = Pick<KeyChange, "verdict" | "reason">;

/** A key, where it is sent, and what it works for. */
type AskedKey = Pick<Credential, "key" | "region" | "account">;

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
   * Asks until `signal` is aborted: the check ends with its reason then. A provider that did not say, whatever came in the
   * way, is asked once more; one that is silent for half of the time is asked again meanwhile, and its first word counts.
   *
   * @throws ByokError `key_rejected` when the provider says that the key is not valid; `checks_limited`.
   */
  async admit(orgId: string, provider: Provider, asked: AskedKey, signal: AbortSignal): Promise<Admitted> {
    const said = await this.#check(orgId, provider, asked, this.#limitMs, [signal], 2);
    const { verdict, reason } = said;
    if (verdict !== "invalid") return { verdict, ...(reason === undefined ? {} : { reason }) };
    const message = explainRejection(provider, asked.region, said);
    throw new ByokError("key_rejected", message, { orgId, provider: provider.id, reason });
  }

  /**
   * Asks once, within `limitMs`, where less is left than a provider may take.
   *
   * @throws ByokError `checks_limited`. A check that is skipped counts for nothing.
   */
  async ask(orgId: string, provider: Provider, asked: AskedKey, limitMs: number): Promise<Checked> {
    const { verdict, reason } = await this.#check(orgId, provider, asked, limitMs, [], 1);
    return { verdict, ...(reason === undefined ? {} : { reason }) };
  }

  /** One check of the limits, however often it asks. What ends it ends every request of it. */
  async #check(
    orgId: string,
    provider: Provider,
    asked: AskedKey,
    limitMs: number,
    signals: readonly AbortSignal[],
    times: 1 | 2,
  ): Promise<KeyCheck | typeof skipped> {
    const withinMs = Math.max(1, Math.min(limitMs, this.#limitMs));
    const endpoint = findEndpoint(provider, asked.region, this.#endpoints.get(provider.id));
    if (provider.check === undefined || endpoint === undefined) return skipped;
    const { baseUrl, websocketUrl } = endpoint;
    const end = this.#limiter.begin(orgId, provider.id);
    const ending = new AbortController();
    const ask = async (): Promise<KeyCheck> => {
      try {
        // What sends anything is loaded by what sends: importing byokit opens nothing of Node's network.
        const { createCredential } = await import("../providers/create-credential.ts");
        const credential = createCredential(provider, { ...asked, baseUrl, websocketUrl }, withinMs);
        const said = await provider.check?.(credential, ending.signal);
        return isRecord(said) ? copyOwn(said) : failed;
      } catch {
        return failed;
      }
    };
    try {
      const deadline = new Deadline(this.#clock, withinMs, signals, () => silent(provider));
      const patience = new Deadline(this.#clock, withinMs / 2, [ending.signal], () => silent(provider));
      return nameRegion(provider, await deadline.race(times === 1 ? ask() : askTwice(ask, patience, ending.signal)));
    } catch (error) {
      for (const signal of signals) signal.throwIfAborted();
      const isSilent = isByokError(error) && error.code === "request_timeout";
      return isSilent ? { verdict: "unreachable", reason: "timeout" } : failed;
    } finally {
      ending.abort();
      end();
    }
  }
}

const skipped = { verdict: "skipped", reason: undefined } as const;
const failed: KeyCheck = { verdict: "unreachable", reason: "provider_error" };

async function askTwice(ask: () => Promise<KeyCheck>, patience: Deadline, ended: AbortSignal): Promise<KeyCheck> {
  const first = ask();
  const early = await patience.race(first).catch(() => undefined);
  if (ended.aborted || (early !== undefined && early.verdict !== "unreachable")) return await first;
  const second = ask();
  const orElse = async (one: Promise<KeyCheck>, other: Promise<KeyCheck>): Promise<KeyCheck> => {
    const said = await one;
    return said.verdict === "unreachable" ? await other : said;
  };
  return await Promise.race([orElse(first, second), orElse(second, first)]);
}

/** A key that a provider refuses in one region, in words that are unknown here, may be another region's. */
function nameRegion(provider: Provider, said: KeyCheck): KeyCheck {
  const isUnclear = said.verdict === "restricted" && said.reason === "refused";
  return isUnclear && ownProperty(provider, "regions") !== undefined
    ? { ...said, reason: "perhaps_wrong_region" }
    : said;
}

function silent({ id }: Provider): ByokError {
  return new ByokError("request_timeout", `"${id}" did not answer. Try again.`, { provider: id });
}
