import { isUnopened, type SnapshotKey } from "../coherence/opened-snapshot.ts";
import type { SnapshotAnswer } from "../coherence/snapshot-cache.ts";
import type { ByokErrorCode, SlotFailure } from "../errors.ts";
import { findEndpoint } from "../providers/endpoints.ts";
import type { Provider } from "../providers/provider.ts";
import type { Secret } from "../secret.ts";
import { type ChosenSlot, isFailure } from "./chosen-slot.ts";
import { decide, errorCodes, type KeyFailure, nextSteps } from "./fallback-policy.ts";
import type { KeySource } from "./resolved-slot.ts";
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
    if (answer === undefined) return this.#fallBack(orgId, bound, "store_unavailable", answer);
    const key = answer.snapshot.keys.get(provider.id);
    if (!this.#mayServe(key, answer.overdueMs)) return this.#fallBack(orgId, bound, "store_unavailable", undefined);
    if (key === undefined) return this.#fallBack(orgId, bound, "absent", answer);
    if (isUnopened(key)) return this.#fallBack(orgId, bound, key.reason, answer);
    const source: KeySource = { source: "byok", reason: "configured", secretId: key.secretId };
    return (
      this.#choose(orgId, bound, key.secret, key.region, source, answer) ??
      toFailure(
        "region_unknown",
        slot,
        provider,
        `The key of "${provider.id}" is stored with a region that the provider does not list. Store it again with one of them.`,
      )
    );
  }

  /** Tells what an operator should count of a slot that begins to be served so. */
  report(
    orgId: string,
    { provider, slot }: BoundSlot,
    chosen: ChosenSlot | SlotFailure,
    answer: SnapshotAnswer | undefined,
  ): void {
    const { onEvent } = this.#settings;
    const key = answer?.snapshot.keys.get(provider.id);
    if (key !== undefined && isUnopened(key) && answer !== undefined && this.#mayServe(key, answer.overdueMs)) {
      const { secretId, reason } = key;
      onEvent({ type: "key_unusable", orgId, provider: provider.id, secretId, reason });
    }
    if (isFailure(chosen)) return;
    const { source, reason } = chosen.source;
    if (reason !== "configured") onEvent({ type: "fallback", orgId, provider: provider.id, slot, failure: reason });
    const overdueMs = answer?.overdueMs ?? 0;
    if (chosen.stale) onEvent({ type: "stale", orgId, provider: provider.id, slot, source, overdueMs });
  }

  /** Whether what is known of a provider may be used that long after its lease, while the store does not answer. */
  mayServe(providers: readonly string[], answer: SnapshotAnswer): boolean {
    return providers.every((provider) => this.#mayServe(answer.snapshot.keys.get(provider), answer.overdueMs));
  }

  #mayServe(key: SnapshotKey | undefined, overdueMs: number): boolean {
    const { serveStaleMs, absentStaleMs } = this.#settings;
    return overdueMs === 0 || overdueMs < (key === undefined ? absentStaleMs : serveStaleMs);
  }

  #fallBack(
    orgId: string,
    bound: BoundSlot,
    reason: KeyFailure,
    answer: SnapshotAnswer | undefined,
  ): ChosenSlot | SlotFailure {
    const { provider, slot } = bound;
    const { fallback, platformKeys } = this.#settings;
    const platformKey = platformKeys.get(provider.id);
    const decision = decide(fallback, { orgId, provider: provider.id, slot, failure: reason });
    if (decision === "invalid") return toFailure("options_invalid", slot, provider, policyFailed);
    if (platformKey === undefined || decision === "fail") {
      return toFailure(errorCodes[reason], slot, provider, `The organisation ${nextSteps[reason]}`);
    }
    const source: KeySource = { source: "platform", reason, secretId: null };
    const chosen = this.#choose(orgId, bound, platformKey, null, source, answer);
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
    answer: SnapshotAnswer | undefined,
  ): ChosenSlot | undefined {
    const { provider, slot, voice } = bound;
    const { endpoints } = this.#settings;
    const endpoint = findEndpoint(provider, region, endpoints.get(provider.id));
    if (endpoint === undefined) return undefined;
    const { baseUrl, websocketUrl } = endpoint;
    const model = bound.model ?? provider.models.find((known) => known.slot === slot && known.default)?.id ?? "";
    const serving = { key, region, baseUrl, websocketUrl, source: source.source, secretId: source.secretId };
    const stale = answer !== undefined && answer.overdueMs > 0;
    return { orgId, slot, provider, model, voice, serving, source, stale, bound, snapshot: answer?.snapshot };
  }
}

const policyFailed =
  'The function that is "fallback" threw, or did not answer "platform", "fail" or undefined at once. Correct it.';

function toFailure(code: ByokErrorCode, slot: SlotFailure["slot"], provider: Provider, message: string): SlotFailure {
  return { code, slot, provider: provider.id, message };
}
