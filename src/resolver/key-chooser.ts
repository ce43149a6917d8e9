import { isUnopened, type SnapshotKey } from "../coherence/opened-snapshot.ts";
import type { SnapshotAnswer } from "../coherence/snapshot-cache.ts";
import type { ByokErrorCode, SlotFailure } from "../errors.ts";
import { findEndpoint } from "../providers/endpoints.ts";
import type { Provider } from "../providers/provider.ts";
import type { Secret } from "../secret.ts";
import { decide, errorCodes, type KeyFailure, nextSteps } from "./fallback-policy.ts";
import type { ChosenSlot, KeySource } from "./resolved-slot.ts";
import type { ResolverSettings } from "./resolver-settings.ts";
import type { BoundSlot } from "./slot-binder.ts";

/** Decides whose key serves a slot. Every path ends in a chosen key or in a failure; none falls back unasked. */
export class KeyChooser {
  readonly #settings: ResolverSettings;

  constructor(settings: ResolverSettings) {
    this.#settings = settings;
  }

  /** `answer` is `undefined` when the organisation's state is unknown. */
  choose(orgId: string, bound: BoundSlot, answer: SnapshotAnswer | undefined): ChosenSlot | SlotFailure {
    const { provider, slot } = bound;
    if (answer === undefined) return this.#fallBack(orgId, bound, "store_unavailable", 0);
    const key = answer.snapshot.keys.get(provider.id);
    if (!this.#mayServe(key, answer.overdueMs)) return this.#fallBack(orgId, bound, "store_unavailable", 0);
    const isStale = answer.overdueMs > 0;
    if (key === undefined) return this.#fallBack(orgId, bound, "absent", answer.overdueMs);
    if (isUnopened(key)) {
      const { secretId, reason } = key;
      this.#settings.onEvent({ type: "key_unusable", orgId, provider: provider.id, secretId, reason });
      return this.#fallBack(orgId, bound, reason, answer.overdueMs);
    }
    if (isStale) this.#reportStale(orgId, bound, "byok", answer.overdueMs);
    const source: KeySource = { source: "byok", reason: "configured", secretId: key.secretId };
    return (
      this.#choose(orgId, bound, key.secret, key.region, source, isStale) ??
      toFailure(
        "region_unknown",
        slot,
        provider,
        `The key of "${provider.id}" is stored with a region that the provider does not list. Store it again with one of them.`,
      )
    );
  }

  /** Whether what is known of a provider may be used that long after its lease, while the store does not answer. */
  mayServe(providers: readonly string[], answer: SnapshotAnswer): boolean {
    return providers.every((provider) => this.#mayServe(answer.snapshot.keys.get(provider), answer.overdueMs));
  }

  #mayServe(key: SnapshotKey | undefined, overdueMs: number): boolean {
    const { serveStaleMs, absentStaleMs } = this.#settings;
    return overdueMs === 0 || overdueMs < (key === undefined ? absentStaleMs : serveStaleMs);
  }

  #fallBack(orgId: string, bound: BoundSlot, reason: KeyFailure, overdueMs: number): ChosenSlot | SlotFailure {
    const { provider, slot } = bound;
    const { fallback, platformKeys, onEvent } = this.#settings;
    const platformKey = platformKeys.get(provider.id);
    const decision = decide(fallback, { orgId, provider: provider.id, slot, failure: reason });
    if (decision === "invalid") return toFailure("options_invalid", slot, provider, policyFailed);
    if (platformKey === undefined || decision === "fail") {
      return toFailure(errorCodes[reason], slot, provider, `The organisation ${nextSteps[reason]}`);
    }
    if (reason !== "absent") onEvent({ type: "fallback", orgId, provider: provider.id, slot, failure: reason });
    if (overdueMs > 0) this.#reportStale(orgId, bound, "platform", overdueMs);
    const source: KeySource = { source: "platform", reason, secretId: null };
    const chosen = this.#choose(orgId, bound, platformKey, null, source, overdueMs > 0);
    return (
      chosen ?? toFailure("region_unknown", slot, provider, "The provider has no default host. Give it an endpoint.")
    );
  }

  #choose(
    orgId: string,
    bound: BoundSlot,
    key: Secret,
    region: string | null,
    source: KeySource,
    stale: boolean,
  ): ChosenSlot | undefined {
    const { provider, slot, voice, loaded } = bound;
    const { endpoints, requestTimeoutMs } = this.#settings;
    const endpoint = findEndpoint(provider, region, endpoints.get(provider.id));
    if (endpoint === undefined) return undefined;
    const { baseUrl, websocketUrl } = endpoint;
    const model = bound.model ?? provider.models.find((known) => known.slot === slot && known.default)?.id ?? "";
    const credential = { key, region, baseUrl, websocketUrl, requestTimeoutMs };
    return { orgId, slot, provider, model, voice, credential, source, stale, loaded };
  }

  #reportStale(orgId: string, { provider, slot }: BoundSlot, source: "byok" | "platform", overdueMs: number): void {
    this.#settings.onEvent({ type: "stale", orgId, provider: provider.id, slot, source, overdueMs });
  }
}

const policyFailed =
  'The function that is "fallback" threw, or did not answer "platform", "fail" or undefined at once. Correct it.';

function toFailure(code: ByokErrorCode, slot: SlotFailure["slot"], provider: Provider, message: string): SlotFailure {
  return { code, slot, provider: provider.id, message };
}
