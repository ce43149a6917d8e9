import { afterEach, expect, it, vi } from "vitest";
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "../src/index.ts";

afterEach(() => vi.unstubAllGlobals());

it.each([
  ["gives the same id each time", { randomUUID: () => "00000000-0000-4000-8000-000000000000" }],
  ["has no ids", {}],
])("a global crypto that %s changes nothing of what is stored and served", async (_what, crypto) => {
  vi.stubGlobal("crypto", crypto);
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, verify: "off" });
  await using resolver = createResolver({ store, keyring, clients: false });
  const seqs = new Set<number>();
  for (const apiKey of ["first-key-of-org", "second-key-of-org"]) {
    const { seq } = await manager.set("org", { provider: "openai", apiKey });
    seqs.add(seq);
    const { llm } = await resolver.resolve("org", { llm_config: { provider: "openai" } }, { atLeast: seq });
    expect(llm.credential.key.reveal()).toBe(apiKey);
    expect(llm.placeholder).not.toContain("00000000-0000-4000");
  }
  expect(seqs.size).toBe(2);
});
