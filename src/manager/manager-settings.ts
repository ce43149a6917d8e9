import { callHook } from "../call-hook.ts";
import type { Clock } from "../clock.ts";
import { Deadline } from "../deadline.ts";
import { assertOrgId } from "../identifier.ts";
import type { KeyAccount } from "../key-account.ts";
import type { UnopenedReason } from "../keyring/explain-unopened.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { keyringKind } from "../keyring/keyring-kind.ts";
import { callback, list, oneOf, positiveMilliseconds, recordOf } from "../option-kinds.ts";
import { supportsAccount } from "../providers/account-support.ts";
import { builtinProviders } from "../providers/builtin.ts";
import { indexProviders } from "../providers/define-provider.ts";
import { type DeclaredEndpoint, declareEndpoints, type EndpointOption } from "../providers/endpoints.ts";
import type { Provider } from "../providers/provider.ts";
import { providerUnknown } from "../providers/provider-unknown.ts";
import { type OptionRules, readOptions, required } from "../read-options.ts";
import { CacheCircuitBreaker } from "../shared-cache/cache-circuit-breaker.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import { keyCacheKind } from "../shared-cache/key-cache-kind.ts";
import type { KeyRecord } from "../store/key-record.ts";
import type { KeyStore } from "../store/key-store.ts";
import { keyStoreKind } from "../store/key-store-kind.ts";
import type { CheckLimits } from "./check-limiter.ts";
import type { ByokKeys } from "./key-manager.ts";
import { accountUnsupported, regionUnknown, tooSlow } from "./manager-errors.ts";

export interface KeyManagerOptions {
  readonly store: KeyStore;
  /** Seals under its primary key. */
  readonly keyring: Keyring;
  /** The workers' cache: they then learn of a change in milliseconds. Absent: within their lease. */
  readonly cache?: KeyCache | undefined;
  /** @default builtinProviders */
  readonly providers?: readonly Provider[] | undefined;
  /** Hosts that the operator declares, as for the resolver: keys are checked there. */
  readonly endpoints?: Readonly<Record<string, EndpointOption | undefined>> | undefined;
  /** Whether a key is checked with its provider before it is stored. @default "reject-invalid" */
  readonly verify?: "reject-invalid" | "off" | undefined;
  /**
   * How many keys of one provider one organisation may have checked, lest somebody try stolen keys by the hundred;
   * beyond it `set` and `verify` are `checks_limited`. Each process counts for itself: N allow N times as much.
   *
   * @default { perMinute: 20, atOnce: 3 }
   */
  readonly checkLimits?: CheckLimits | undefined;
  /** The longest that one call takes, the key check included; of `setMany` the longest that one batch takes. @default 5_000 */
  readonly deadlineMs?: number | undefined;
  /** The workers' `leaseMs`: `KeyChange.effectiveWithinMs` is computed from it. @default 10_000 */
  readonly leaseMs?: number | undefined;
  /** Called for what an operator should count. What it throws, or rejects with, is ignored. */
  readonly onEvent?: ((event: ManagerEvent) => unknown) | undefined;
}

/** A stored key did not open. Unless its `reason` is `undecryptable`, that is the keyring's fault, and no customer's. */
export interface ManagerEvent {
  readonly type: "key_unusable";
  readonly orgId: string;
  readonly provider: string;
  readonly secretId: string;
  readonly reason: UnopenedReason;
}

const rules: OptionRules<KeyManagerOptions> = {
  store: required(keyStoreKind),
  keyring: required(keyringKind),
  cache: keyCacheKind,
  providers: list,
  endpoints: recordOf("hosts by provider: { openai: url }"),
  verify: oneOf("reject-invalid", "off"),
  checkLimits: recordOf("limits: { perMinute, atOnce }"),
  deadlineMs: positiveMilliseconds,
  leaseMs: positiveMilliseconds,
  onEvent: callback,
};

/** A manager's options, checked once, with their defaults. */
export class ManagerSettings {
  readonly clock: Clock;
  readonly store: KeyStore;
  readonly keyring: Keyring;
  readonly cache: CacheCircuitBreaker | undefined;
  /** In the order of the option. */
  readonly providers: readonly Provider[];
  readonly endpoints: ReadonlyMap<string, DeclaredEndpoint>;
  readonly isChecking: boolean;
  readonly checkLimits: CheckLimits | undefined;
  readonly deadlineMs: number;
  readonly leaseMs: number;
  readonly #onEvent: KeyManagerOptions["onEvent"];
  readonly #byId: ReadonlyMap<string, Provider>;

  /** @throws ByokError `options_invalid` */
  constructor(clock: Clock, given: KeyManagerOptions) {
    const options = readOptions("createKeyManager()", given, rules);
    this.clock = clock;
    this.store = options.store;
    this.keyring = options.keyring;
    this.cache = options.cache && new CacheCircuitBreaker(options.cache, clock);
    this.deadlineMs = options.deadlineMs ?? 5_000;
    this.leaseMs = options.leaseMs ?? 10_000;
    this.#byId = indexProviders(options.providers ?? builtinProviders);
    this.providers = [...this.#byId.values()];
    this.endpoints = declareEndpoints(options.endpoints ?? {}, this.#byId);
    this.isChecking = options.verify !== "off";
    this.checkLimits = options.checkLimits;
    this.#onEvent = options.onEvent;
  }

  /** @throws ByokError `org_invalid` */
  startDeadline(orgId: string, ...signals: AbortSignal[]): Deadline {
    assertOrgId(orgId);
    return new Deadline(this.clock, this.deadlineMs, signals, () => tooSlow(orgId, this.deadlineMs));
  }

  /** @throws ByokError `provider_unknown` */
  findProvider(orgId: string, id: string): Provider {
    const provider = this.#byId.get(id);
    if (provider !== undefined) return provider;
    throw providerUnknown(orgId, this.#byId.keys());
  }

  /** Tells the operator of a stored key that did not open. Never throws. */
  tellUnusable(orgId: string, { provider, secretId }: KeyRecord, reason: UnopenedReason): void {
    callHook(this.#onEvent, { type: "key_unusable", orgId, provider, secretId, reason });
  }

  toByokKeys(stored: Readonly<Record<string, string>>): ByokKeys {
    return Object.fromEntries(this.providers.map(({ id }) => [`${id}_secret_id`, stored[id] ?? null]));
  }
}

/** @throws ByokError `region_unknown`; `null` and absence are no region of anybody's. */
export function assertRegion(orgId: string, provider: Provider, region: string | null | undefined): void {
  if (typeof region !== "string" || Object.hasOwn(provider.regions ?? {}, region)) return;
  throw regionUnknown(orgId, provider);
}

/** @throws ByokError `account_unsupported`; no account at all is supported by everybody. */
export function assertAccount(orgId: string, provider: Provider, account: KeyAccount | null | undefined): void {
  if (account === undefined || supportsAccount(provider, account)) return;
  throw accountUnsupported(orgId, provider);
}
