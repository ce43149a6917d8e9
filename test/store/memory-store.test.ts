import { describe, it } from "vitest";
import { memoryStore } from "../../src/store/memory-store.ts";
import { keyStoreContract } from "../../src/testing/key-store-contract.ts";

describe("a store in memory", () => {
  keyStoreContract(it, async () => {
    const store = memoryStore();
    return { store, again: async () => store };
  });
});

describe("a store that notes nothing of calls", () => {
  keyStoreContract(it, async () => {
    const { noteUse: _noteUse, ...store } = memoryStore();
    return { store, again: async () => store };
  });
});
