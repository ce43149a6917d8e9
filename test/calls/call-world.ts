import { randomUUID } from "node:crypto";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { createKeyManager } from "../../src/manager/create-key-manager.ts";
import type { KeyManager } from "../../src/manager/key-manager.ts";
import { type BuiltinProvider, builtinProviders } from "../../src/providers/builtin.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import type { ResolverEvent } from "../../src/resolver/resolver-event.ts";
import type { ResolverOptions } from "../../src/resolver/resolver-options.ts";
import type { KeyCache } from "../../src/shared-cache/key-cache.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { memoryStore } from "../../src/store/memory-store.ts";
import type { RecordedRequest } from "../../src/testing/provider-doubles/double.ts";
import {
  type ProviderDoubles,
  startProviderDoubles,
} from "../../src/testing/provider-doubles/start-provider-doubles.ts";
import { ManualClock } from "../support/manual-clock.ts";
import type { CallResolver, Way } from "./way.ts";

/** The keys of a call, as the table names them. */
export const keys = {
  old: "key-of-monday-0123456789",
  new: "key-of-tuesday-0123456789",
  platform: "key-of-the-platform-0123456789",
} as const;

export const pollMs = 2_500;
export const leaseMs: number = 4 * pollMs;

export interface CallWorld extends AsyncDisposable {
  readonly way: Way;
  readonly orgId: string;
  readonly doubles: ProviderDoubles;
  readonly manager: KeyManager;
  readonly resolver: CallResolver;
  readonly clock: ManualClock;
  readonly events: readonly ResolverEvent[];
  /** Every request that the provider saw, in its order. */
  requests(): readonly string[];
  /** Stores a key. */
  store(key: string, region?: string): Promise<void>;
  /** The provider ends the sockets that this key has opened. */
  hangUp(key: string): void;
}

export interface CallWorldOptions extends Partial<ResolverOptions<BuiltinProvider>> {
  /** What a manager works on, where that is not what the worker works on. */
  readonly managed?: { readonly store: KeyStore; readonly cache?: KeyCache };
}

/** One organisation's call by one vendor, whose double takes its first key and the platform's. */
export async function callWorld(way: Way, { managed, ...options }: CallWorldOptions = {}): Promise<CallWorld> {
  const orgId = `org-${randomUUID()}`;
  const { provider } = way;
  const accepted = { [provider]: [keys.old, keys.platform] };
  const doubles = await startProviderDoubles({ keys: accepted });
  const eu = await startProviderDoubles({ keys: accepted });
  const providers = builtinProviders.map((one) =>
    Object.hasOwn(one, "regions") ? { ...one, regions: { eu: eu.endpoints[one.id] } } : one,
  ) as unknown as readonly BuiltinProvider[];
  const store = options.store ?? memoryStore();
  if (options.store === undefined) await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const clock = new ManualClock();
  const events: ResolverEvent[] = [];
  const manager = createKeyManager({
    ...(managed ?? { store }),
    keyring,
    providers: providers as readonly Provider[],
    verify: "off",
  });
  await manager.set(orgId, { provider, apiKey: keys.old });
  const resolver = createResolverOn<BuiltinProvider>(clock, {
    store,
    keyring,
    providers,
    endpoints: doubles.endpoints,
    platformKeys: { [provider]: keys.platform },
    clients: [provider],
    pollMs,
    leaseMs,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const nameOf = ({ key, accepted }: RecordedRequest): string => {
    const name = Object.entries(keys).find(([, value]) => value === key)?.[0] ?? "another";
    return accepted ? name : `${name} refused`;
  };
  return {
    way,
    orgId,
    doubles,
    manager,
    resolver,
    clock,
    events,
    requests: () => [
      ...doubles.requests.map(nameOf),
      ...eu.requests.map((request) => `${nameOf(request)} in the region`),
    ],
    async store(apiKey, region) {
      await manager.set(orgId, { provider, apiKey, ...(region === undefined ? {} : { region }) });
    },
    hangUp(key) {
      doubles.fail({ provider, cutAfter: 0, key })();
    },
    async [Symbol.asyncDispose]() {
      await resolver.close();
      await doubles.close();
      await eu.close();
    },
  };
}
