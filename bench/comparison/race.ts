import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "../../dist/index.js";
import { type Library, libraries } from "./libraries.ts";

export interface Raced {
  readonly library: string;
  /** What the next caller gets after: a fill begins, the key is removed, the fill ends. */
  readonly afterwards: string;
}

/** The race that every cache of secrets has to win: a removal while a fill is in flight. */
export async function race(): Promise<Raced[]> {
  return [...(await Promise.all(libraries().map(raced))), await racedByokit()];
}

async function raced({ name, get, remove }: Library): Promise<Raced> {
  const loading = Promise.withResolvers<string>();
  const fill = get("org", () => loading.promise);
  await new Promise((resolve) => setTimeout(resolve, 10));
  await remove("org");
  loading.resolve("the removed key");
  await fill?.catch(() => undefined);
  const next = await get("org", async () => "nothing");
  return { library: name, afterwards: next ?? "nothing" };
}

async function racedByokit(): Promise<Raced> {
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, verify: "off" });
  await manager.set("org", { provider: "openai", apiKey: "the-removed-key" });
  let held: Promise<void> = Promise.resolve();
  const snapshots: typeof store.snapshots = async (orgIds) => {
    const read = await store.snapshots(orgIds);
    await held;
    return read;
  };
  const platformKeys = { openai: "nothing" };
  const resolver = createResolver({
    store: { ...store, snapshots },
    keyring,
    platformKeys,
    preload: [],
    leaseMs: 10_000,
  });
  await resolver.client("other", "openai");
  const fill = Promise.withResolvers<void>();
  held = fill.promise;
  const filling = resolver.client("org", "openai");
  await new Promise((resolve) => setTimeout(resolve, 10));
  const { seq } = await manager.remove("org", "openai");
  held = Promise.resolve();
  const told = resolver.client("org", "openai", { atLeast: seq });
  fill.resolve();
  await filling;
  await told;
  const next = await resolver.client("org", "openai");
  await resolver.close();
  return { library: "byokit", afterwards: next.source === "platform" ? "nothing" : "the removed key" };
}
