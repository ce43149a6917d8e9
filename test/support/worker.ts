import { createKeyManager, type KeyManager } from "../../src/index.ts";
import type { Keyring } from "../../src/keyring/keyring.ts";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { defineProvider } from "../../src/providers/define-provider.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import type { Resolver } from "../../src/resolver/resolver.ts";
import type { ResolverEvent } from "../../src/resolver/resolver-event.ts";
import type { ResolverOptions } from "../../src/resolver/resolver-options.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { memoryStore } from "../../src/store/memory-store.ts";
import { ManualClock } from "./manual-clock.ts";
import { type UnsteadyStore, unsteadyStore } from "./unsteady-store.ts";

/** A vendor whose client is its way out. */
const vendor = <const Id extends string>(id: Id) =>
  defineProvider({
    id,
    name: id,
    category: "llm",
    docsUrl: "https://vendor.example",
    serves: ["llm", "stt", "tts"],
    endpoint: { baseUrl: `https://${id}.example`, websocketUrl: `wss://${id}.example` },
    regions: { eu: { baseUrl: `https://eu.${id}.example`, websocketUrl: `wss://eu.${id}.example` } },
    models: [{ id: `${id}-1`, name: "One", default: true, slot: "llm" }],
    connect: (egress) => ({ egress }),
  });

export const vendors = [vendor("ada"), vendor("bob"), vendor("cleo")] as const;
export type Vendor = (typeof vendors)[number];
export const platformKeys = { ada: "platform-ada", bob: "platform-bob" } as const;
export const agent = { llm_config: { provider: "ada" }, stt_config: { provider: "bob" } } as const;

export interface Worker extends AsyncDisposable {
  readonly resolver: Resolver<Vendor>;
  readonly clock: ManualClock;
  readonly link: UnsteadyStore;
  readonly events: ResolverEvent[];
}

export interface Platform {
  readonly store: KeyStore;
  readonly keyring: Keyring;
  readonly manager: KeyManager;
  worker(options?: Partial<ResolverOptions<Vendor>>): Worker;
}

/** A store, a manager, and workers whose only link to it is the store. */
export async function platform(store: KeyStore = memoryStore()): Promise<Platform> {
  await store.migrate();
  const keyring = createKeyring(generateKeyring("kek-1"));
  const providers = vendors as readonly Provider[];
  return {
    store,
    keyring,
    manager: createKeyManager({ store, keyring, providers }),
    worker(options = {}) {
      const clock = new ManualClock();
      const link = unsteadyStore(store);
      const events: ResolverEvent[] = [];
      const resolver = createResolverOn<Vendor>(clock, {
        store: link,
        keyring,
        providers: vendors,
        platformKeys,
        onEvent: (event) => events.push(event),
        ...options,
      });
      return { resolver, clock, link, events, [Symbol.asyncDispose]: () => resolver.close() };
    },
  };
}
