/** byokit beside the common cache libraries: one hit from memory, and removals while something else is under way. */
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "../../dist/index.js";
import { compare } from "../compare.ts";
import { libraries } from "./libraries.ts";
import { race } from "./race.ts";

const organisations = 1_000;
const agent = {
  llm_config: { provider: "openai" },
  stt_config: { provider: "deepgram" },
  tts_config: { provider: "elevenlabs" },
} as const;
const store = memoryStore();
await store.migrate();
const keyring = createKeyring(generateKeyring());
const manager = createKeyManager({ store, keyring, verify: "off" });
const resolver = createResolver({ store, keyring });
await resolver.ready();
for (let org = 0; org < organisations; org += 1) {
  for (const provider of ["openai", "deepgram", "elevenlabs"]) {
    await manager.set(`org-${org}`, { provider, apiKey: `key-of-${provider}-${org}` });
  }
  await resolver.resolve(`org-${org}`, agent);
}
const takingTurns = (): (() => string) => {
  let turn = 0;
  return () => `org-${turn++ % organisations}`;
};

const hits: object[] = [];
for (const { name, get } of libraries()) {
  for (let org = 0; org < organisations; org += 1) await get(`org-${org}`, async () => "key");
  const [next, other] = [takingTurns(), takingTurns()];
  const { oursUs, bareUs, ratio } = await compare({
    what: "byokit, three slots of an agent",
    bare: name,
    ours: async () => await resolver.resolve(next(), agent),
    theirs: async () => await get(other(), async () => "key"),
  });
  hits.push({
    library: name,
    "one value µs": bareUs.toFixed(2),
    "byokit, three slots µs": oursUs.toFixed(2),
    ratio: ratio.toFixed(2),
  });
}
console.table(hits);
console.table(await race());
await resolver.close();
process.exit();
