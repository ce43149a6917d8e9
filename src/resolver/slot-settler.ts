import type { HeldKey } from "../coherence/held-snapshot.ts";
import type { SnapshotAnswer } from "../coherence/snapshot-cache.ts";
import type { ByokErrorCode, SlotFailure } from "../errors.ts";
import { endpointFor } from "../providers/endpoints.ts";
import type { Provider } from "../providers/provider.ts";
import type { Secret } from "../secret.ts";
import { decide, errorCodes, type KeyFailure, nextSteps } from "./fallback-policy.ts";
import type { KeySource, SettledSlot } from "./resolved-slot.ts";
import type { ResolverSettings } from "./resolver-settings.ts";
import type { PlannedSlot } from "./slot-planner.ts";

/** Decides whose key serves a slot. Every path ends in a settled slot or in a failure; none falls back unasked. */
export class SlotSettler {
  readonly #settings: ResolverSettings;

  constructor(settings: ResolverSettings) {
    this.#settings = settings;
  }

  /** `answer` is `undefined` when the organisation's state is unknown. */
  settle(orgId: string, planned: PlannedSlot, answer: SnapshotAnswer | undefined): SettledSlot | SlotFailure {
    const { provider, slot } = planned;
    if (answer === undefined) return this.#withoutKey(orgId, planned, "store_unavailable", 0);
    const key = answer.held.keys.get(provider.id);
    if (!this.#mayServe(key, answer.overdueMs)) return this.#withoutKey(orgId, planned, "store_unavailable", 0);
    const isStale = answer.overdueMs > 0;
    if (key === undefined) return this.#withoutKey(orgId, planned, "absent", answer.overdueMs);
    if ("trouble" in key) {
      const { secretId, trouble } = key;
      this.#settings.onEvent({ type: "key_unusable", orgId, provider: provider.id, secretId, trouble });
      return this.#withoutKey(orgId, planned, trouble, answer.overdueMs);
    }
    if (isStale) this.#countStale(orgId, planned, "byok", answer.overdueMs);
    const source: KeySource = { source: "byok", reason: "configured", secretId: key.secretId };
    return (
      this.#settled(orgId, planned, key.secret, key.region, source, isStale) ??
      failure(
        "region_unknown",
        slot,
        provider,
        `The key of "${provider.id}" is stored with a region that the provider does not list. Store it again with one of them.`,
      )
    );
  }

  /** Whether what is known of a provider may be used that long after its lease, while the store does not answer. */
  mayServe(providers: readonly string[], answer: SnapshotAnswer): boolean {
    return providers.every((provider) => this.#mayServe(answer.held.keys.get(provider), answer.overdueMs));
  }

  #mayServe(key: HeldKey | undefined, overdueMs: number): boolean {
    const { serveStaleMs, absentStaleMs } = this.#settings;
    return overdueMs === 0 || overdueMs < (key === undefined ? absentStaleMs : serveStaleMs);
  }

  #withoutKey(orgId: string, planned: PlannedSlot, why: KeyFailure, overdueMs: number): SettledSlot | SlotFailure {
    const { provider, slot } = planned;
    const { fallback, platformKeys, onEvent } = this.#settings;
    const platformKey = platformKeys.get(provider.id);
    const decision = decide(fallback, { orgId, provider: provider.id, slot, failure: why });
    if (platformKey === undefined || decision === "fail") {
      return failure(errorCodes[why], slot, provider, `The organisation ${nextSteps[why]}`);
    }
    if (why !== "absent") onEvent({ type: "fallback", orgId, provider: provider.id, slot, failure: why });
    if (overdueMs > 0) this.#countStale(orgId, planned, "platform", overdueMs);
    const source: KeySource = { source: "platform", reason: why, secretId: null };
    const settled = this.#settled(orgId, planned, platformKey, null, source, overdueMs > 0);
    return (
      settled ?? failure("region_unknown", slot, provider, "The provider has no default host. Give it an endpoint.")
    );
  }

  #settled(
    orgId: string,
    planned: PlannedSlot,
    key: Secret,
    region: string | null,
    source: KeySource,
    stale: boolean,
  ): SettledSlot | undefined {
    const { provider, slot, voice, loaded } = planned;
    const { endpoints, requestTimeoutMs } = this.#settings;
    const endpoint = endpointFor(provider, region, endpoints.get(provider.id));
    if (endpoint === undefined) return undefined;
    const { baseUrl, websocketUrl } = endpoint;
    const model = planned.model ?? provider.models.find((known) => known.slot === slot && known.default)?.id ?? "";
    const credential = { key, region, baseUrl, websocketUrl, requestTimeoutMs };
    return { orgId, slot, provider, model, voice, credential, source, stale, loaded };
  }

  #countStale(orgId: string, { provider, slot }: PlannedSlot, source: "byok" | "platform", overdueMs: number): void {
    this.#settings.onEvent({ type: "stale", orgId, provider: provider.id, slot, source, overdueMs });
  }
}

function failure(code: ByokErrorCode, slot: SlotFailure["slot"], provider: Provider, message: string): SlotFailure {
  return { code, slot, provider: provider.id, message };
}
