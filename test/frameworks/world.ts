import { Socket } from "node:net";
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore, type Resolver } from "byokit";
import { expect } from "vitest";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { marker, poisonedEnvironment } from "../providers/poisoned-environment.ts";

export const ids = ["deepgram", "openai", "elevenlabs", "xai"] as const;
export type Id = (typeof ids)[number];

export const ownKey = (id: string): string => `${id}-key-of-the-customer-0123456789`;
export const wrongKey = (id: string): string => `${id}-key-of-nobody-0123456789`;

/** Where a connection was to go that is not of this machine. */
const outside: string[] = [];

/** What a platform has in its environment is there from before a framework is imported, and nothing leaves the machine. */
export function isolate(): void {
  const more = { ELEVEN_API_KEY: marker, OPENAI_WEBSOCKET_BASE_URL: `ws://127.0.0.1:9/${marker}` };
  Object.assign(process.env, poisonedEnvironment, more, { OPENAI_LOG: "off" });
  const connect = Socket.prototype.connect as (this: Socket, ...all: unknown[]) => Socket;
  Socket.prototype.connect = function (this: Socket, ...all: unknown[]): Socket {
    const [given] = all.flat() as { host?: string; path?: string }[];
    if (given?.path != null || given?.host === undefined || /^(?:127\.|localhost$|::1$)/u.test(given.host))
      return connect.apply(this, all);
    outside.push(given.host);
    process.nextTick(() => this.destroy(new Error(`A test connects to loopback only, not to ${given.host}.`)));
    return this;
  } as Socket["connect"];
}

export interface World extends AsyncDisposable {
  readonly doubles: ProviderDoubles;
  readonly resolver: Resolver;
  /** That what arrived at one provider's double is the customer's key and nothing of the platform's, and nothing elsewhere. */
  expectClean(id: Id, requests?: number): void;
}

/** The organisation `own` has a key of each provider that works, `wrong` one that does not. */
export async function startWorld(): Promise<World> {
  const keysOf = (name: (id: string) => string): Record<Id, string> =>
    Object.fromEntries(ids.map((id) => [id, name(id)])) as Record<Id, string>;
  const platformKeys = keysOf((id) => `${id}-key-of-the-platform-0123456789`);
  const accepted = ids.map((id) => [id, [ownKey(id), platformKeys[id]]]);
  const doubles = await startProviderDoubles({ keys: Object.fromEntries(accepted) });
  const { endpoints } = doubles;
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, endpoints, verify: "off" });
  for (const id of ids) {
    await manager.set("own", { provider: id, apiKey: ownKey(id) });
    await manager.set("wrong", { provider: id, apiKey: wrongKey(id) });
  }
  const resolver = createResolver({ store, keyring, platformKeys, endpoints });
  await resolver.ready();
  return {
    doubles,
    resolver,
    expectClean: (id, requests) => {
      const seen = doubles.requests.map(({ provider, key, accepted: isAccepted }) => [provider, key, isAccepted]);
      expect(seen).toEqual(seen.map(() => [id, ownKey(id), true]));
      if (requests === undefined) expect(seen).not.toEqual([]);
      else expect(seen).toHaveLength(requests);
      expect(JSON.stringify(doubles.requests)).not.toMatch(new RegExp(`${marker}|of-the-platform`, "u"));
      expect(outside).toEqual([]);
    },
    [Symbol.asyncDispose]: async () => {
      await resolver.close();
      await doubles.close();
    },
  };
}
