import type { Clock } from "../clock.ts";
import { isUnopened, type OpenedKey, type SnapshotKey } from "../coherence/opened-snapshot.ts";
import type { SnapshotAnswer } from "../coherence/snapshot-answers.ts";
import type { ByokErrorCode, SlotFailure } from "../errors.ts";
import { supportsAccount } from "../providers/account-support.ts";
import type { ServingKey } from "../providers/egress/key-supply.ts";
import { findEndpoint } from "../providers/endpoints.ts";
import type { Provider } from "../providers/provider.ts";
import { type ChosenSlot, isFailure, type Outcome } from "./chosen-slot.ts";
import { type Decided, decide, errorCodes, type KeyFailure, nextSteps } from "./fallback-policy.ts";
import type { KeyMarks } from "./key-marks.ts";
import type { KeySource } from "./resolved-slot.ts";
import type { ResolverSettings } from "./resolver-settings.ts";
import type { BoundSlot } from "./slot-binder.ts";

/** Of a key that the keyring may open at another time, which every decision tries. */
const triedAgain: ReadonlySet<KeyFailure> = new Set(["keyring_outdated", "keyring_unavailable"]);

/** Decides whose key serves a slot. Every path ends in a chosen key or in a failure; none falls back unasked. */
export class KeyChooser {
  readonly #settings: ResolverSettings;
  readonly #clock: Clock;
  readonly #marks: KeyMarks;
  /** Whether `fallback` has ever answered with a promise. */
  #answersLater = false;

  constructor(settings: ResolverSettings, clock: Clock, marks: KeyMarks) {
    this.#marks = marks;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** `answer` is `undefined` when the organisation's state is unknown. A promise: `fallback` answers later. */
  choose(orgId: string, bound: BoundSlot, answer: SnapshotAnswer | undefined): Outcome | Promise<Outcome> {
    const failure = this.failureOf(bound, answer);
    if (failure === undefined) return this.#chooseOwn(orgId, bound, answer as SnapshotAnswer);
    const { provider, slot } = bound;
    const decided = decide(this.#settings.fallback, { orgId, provider: provider.id, slot, failure });
    if (decided instanceof Promise) {
      this.#answersLater = true;
      return decided.then((late) => this.#agree(this.#fallBack(orgId, bound, failure, late, answer)));
    }
    const outcome = this.#fallBack(orgId, bound, failure, decided, answer);
    return this.#answersLater || triedAgain.has(failure) ? this.#agree(outcome) : outcome;
  }

  /** It holds for a time: what would have to be waited for cannot be asked about as a request's head is written. */
  #agree(outcome: Outcome): Outcome {
    return isFailure(outcome) ? outcome : { ...outcome, agreedAtMs: this.#clock.monotonicMs() };
  }

  /** As {@link choose}; `undefined` where `fallback` answers later, and would be asked for nothing. */
  chooseNow(orgId: string, bound: BoundSlot, answer: SnapshotAnswer | undefined): Outcome | undefined {
    if (this.#answersLater && this.failureOf(bound, answer) !== undefined) return undefined;
    const outcome = this.choose(orgId, bound, answer);
    return outcome instanceof Promise ? undefined : outcome;
  }

  /** Why the organisation's own key does not serve the slot; `undefined`: it does. */
  failureOf({ provider }: BoundSlot, answer: SnapshotAnswer | undefined): KeyFailure | undefined {
    if (answer === undefined) return "store_unavailable";
    const key = answer.snapshot.keys.get(provider.id);
    if (!this.#mayServe(key, answer.overdueMs)) return "store_unavailable";
    if (key === undefined) return "absent";
    return isUnopened(key) ? key.reason : this.#marks.failureOf(key.secretId);
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
    const { source, reason, stale } = chosen.shown;
    if (reason !== "configured") onEvent({ type: "fallback", orgId, provider: provider.id, slot, failure: reason });
    const overdueMs = answer?.overdueMs ?? 0;
    if (stale) onEvent({ type: "stale", orgId, provider: provider.id, slot, source, overdueMs });
  }

  /** Whether what is known of a provider may be used that long after its lease, while the store does not answer. */
  mayServe(providers: readonly string[], answer: SnapshotAnswer): boolean {
    return providers.every((provider) => this.#mayServe(answer.snapshot.keys.get(provider), answer.overdueMs));
  }

  #mayServe(key: SnapshotKey | undefined, overdueMs: number): boolean {
    const { serveStaleMs, absentStaleMs } = this.#settings;
    return overdueMs === 0 || overdueMs < (key === undefined ? absentStaleMs : serveStaleMs);
  }

  #chooseOwn(orgId: string, bound: BoundSlot, answer: SnapshotAnswer): Outcome {
    const { provider, slot } = bound;
    const { secretId, secret, region, account } = answer.snapshot.keys.get(provider.id) as OpenedKey;
    if (!supportsAccount(provider, account)) {
      return toFailure("account_unsupported", slot, provider, accountLost(provider));
    }
    const source: KeySource = { source: "byok", reason: "configured", secretId };
    const message = `The key of "${provider.id}" is stored with a region that the provider does not list. Store it again with one of them.`;
    return (
      this.#choose(orgId, bound, { key: secret, region, account }, source, answer) ??
      toFailure("region_unknown", slot, provider, message)
    );
  }

  #fallBack(
    orgId: string,
    bound: BoundSlot,
    reason: KeyFailure,
    decision: Decided,
    answer: SnapshotAnswer | undefined,
  ): Outcome {
    const { provider, slot } = bound;
    const platformKey = this.#settings.platformKeys.get(provider.id);
    if (decision === "invalid") return toFailure("options_invalid", slot, provider, policyFailed);
    if (platformKey === undefined || decision === "fail") {
      return toFailure(errorCodes[reason], slot, provider, `The organisation ${nextSteps[reason]}`);
    }
    const source: KeySource = { source: "platform", reason, secretId: null };
    const known = reason === "store_unavailable" ? undefined : answer;
    const chosen = this.#choose(orgId, bound, { key: platformKey, region: null, account: null }, source, known);
    return (
      chosen ?? toFailure("region_unknown", slot, provider, "The provider has no default host. Give it an endpoint.")
    );
  }

  #choose(
    orgId: string,
    bound: BoundSlot,
    stored: Pick<ServingKey, "key" | "region" | "account">,
    source: KeySource,
    answer: SnapshotAnswer | undefined,
  ): ChosenSlot | undefined {
    const { provider, slot, model: namedModel, voice } = bound;
    const { endpoints } = this.#settings;
    const endpoint = findEndpoint(provider, stored.region, endpoints.get(provider.id));
    if (endpoint === undefined) return undefined;
    const { baseUrl, websocketUrl } = endpoint;
    const model = namedModel ?? provider.models.find((known) => known.slot === slot && known.default)?.id ?? "";
    const { reason, secretId } = source;
    const standsInFor = reason === "rejected" || reason === "exhausted" ? reason : undefined;
    const serving = { ...stored, baseUrl, websocketUrl, source: source.source, secretId, standsInFor };
    const { key, region } = stored;
    const account = stored.account === null ? null : Object.freeze({ ...stored.account });
    const credential = Object.freeze({ key, account, baseUrl, websocketUrl });
    const stale = answer !== undefined && answer.overdueMs > 0;
    const { snapshot } = answer ?? {};
    const shown = { provider: provider.id, slot, model, voice, ...source, region, stale, credential };
    return { shown, namedModel, orgId, slot, provider, serving, bound, snapshot, agreedAtMs: undefined };
  }
}

function accountLost({ id }: Provider): string {
  return `The key of "${id}" is stored with an account that the provider does not take. Store it again without one.`;
}

const policyFailed =
  'The function that is "fallback" threw or rejected, or answered something else than "platform", "fail" or undefined. Correct it.';

function toFailure(code: ByokErrorCode, slot: SlotFailure["slot"], provider: Provider, message: string): SlotFailure {
  return { code, slot, provider: provider.id, message };
}
