import { type Clock, systemClock } from "../../src/clock.ts";
import {
  type BuiltinProvider,
  type Clients,
  createKeyManager,
  createKeyring,
  generateKeyring,
  type KeyManager,
  memoryStore,
  type Resolver,
  type ResolverEvent,
  type ResolverOptions,
} from "../../src/index.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import { type RecordingServer, recordingServer } from "./recording-server.ts";
import { type UnsteadyStore, unsteadyStore } from "./unsteady-store.ts";

/** A worker whose calls hold slots of OpenAI, which a recording server stands in for, and the database that it reads. */
export interface HeldWorld extends AsyncDisposable {
  readonly server: RecordingServer;
  readonly manager: KeyManager;
  readonly link: UnsteadyStore;
  readonly events: readonly ResolverEvent[];
  open(options?: Partial<ResolverOptions<BuiltinProvider, Clients>>, clock?: Clock): Resolver;
  /** What each request has shown as its key. */
  sentKeys(): unknown[];
}

export async function heldWorld(): Promise<HeldWorld> {
  const server = await recordingServer();
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const link = unsteadyStore(store);
  const events: ResolverEvent[] = [];
  return {
    server,
    link,
    events,
    manager: createKeyManager({ store, keyring, verify: "off" }),
    open: (options = {}, clock = systemClock) =>
      createResolverOn(clock, {
        store: link,
        keyring,
        endpoints: { openai: `${server.origin}/v1` },
        leaseMs: 200,
        pollMs: 50,
        onEvent: (event) => events.push(event),
        ...options,
      }),
    sentKeys: () => server.arrived.map(({ headers }) => headers.authorization),
    [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose](),
  };
}
