import type { Keyring } from "../keyring/keyring.ts";
import { generateKeyring } from "../keyring/keyring-json.ts";
import { createKeyring } from "../keyring/local-keyring.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { createPlaceholder } from "../providers/egress/placeholder.ts";
import type { Provider } from "../providers/provider.ts";
import { Secret } from "../secret.ts";
import { type Slot, slots } from "../slot.ts";
import type { KeyStore } from "../store/key-store.ts";
import { memoryStore } from "../store/memory-store.ts";
import { defaultKeyName } from "../store/sealed-key.ts";
import type { ResolvedSlot } from "./resolved-slot.ts";
import type { AgentConfig } from "./resolver.ts";

const orgId = "rehearsal";

/** A resolver of the rehearsal's own. */
interface Stage {
  resolve(orgId: string, agent: AgentConfig): Promise<{ readonly orgId: string } & Partial<Record<Slot, ResolvedSlot>>>;
  close(): Promise<void>;
}

/**
 * Plays a call of an invented organisation, on a store, a keyring and a memory that end with it: nothing outside learns of it.
 * An engine takes several times as long for what it runs for the first time, and a worker's first call would wait for that.
 * Never rejects.
 *
 * @param set Builds the resolver on a store and a keyring.
 * @param cast Providers that ship with byokit, whose clients can be built now: others' code may tell who has called it.
 */
export async function rehearse(
  set: (store: KeyStore, keyring: Keyring) => Stage,
  cast: readonly Provider[],
): Promise<void> {
  if (cast.length === 0) return;
  let stage: Stage | undefined;
  try {
    const keyring = createKeyring(generateKeyring());
    const store = memoryStore();
    stage = set(store, keyring);
    await store.migrate();
    for (const { id } of cast) await storeKey(store, keyring, id);
    const agent = composeAgent(cast);
    await play(stage, agent);
    // By the short way: all of it is at hand now.
    await play(stage, agent);
  } catch {
    // A call will be told.
  } finally {
    await stage?.close();
  }
}

async function storeKey(store: KeyStore, keyring: Keyring, provider: string): Promise<void> {
  const facts = { orgId, provider, region: null, account: null, secretId: nodeCrypto().randomUUID() };
  const sealed = await keyring.seal(new Secret(createPlaceholder()), facts);
  const unsaid = { hint: null, verdict: "skipped", actor: null, place: null } as const;
  await store.put({ ...facts, ...sealed, ...unsaid, name: defaultKeyName });
}

/** Each slot by the first that serves it. */
function composeAgent(cast: readonly Provider[]): AgentConfig {
  const served = slots.flatMap((slot) => {
    const provider = slot === "email" ? undefined : cast.find(({ serves }) => serves.includes(slot));
    return provider === undefined ? [] : [[`${slot}_config`, { provider: provider.id }]];
  });
  return Object.fromEntries(served);
}

async function play(stage: Stage, agent: AgentConfig): Promise<void> {
  const { orgId: _, ...parts } = await stage.resolve(orgId, agent);
  for (const slot of Object.values(parts)) {
    void slot.fetch;
    void slot.client;
  }
}
