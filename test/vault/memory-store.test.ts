import { describe, it } from "vitest";
import { keyStoreContract } from "../../src/testing/key-store-contract.ts";
import { memoryStore } from "../../src/vault/memory-store.ts";

describe("a store in memory", () => {
  keyStoreContract(it, async () => {
    const store = memoryStore();
    return { store, again: async () => store };
  });
});
