import { describe, expect, it } from "vitest";
import {
  ByokError,
  createKeyManager,
  createKeyring,
  generateKeyring,
  type KeyImport,
  memoryStore,
} from "../../src/index.ts";
import { createKeyManagerOn } from "../../src/manager/create-key-manager.ts";
import type { KeyManagerOptions } from "../../src/manager/manager-settings.ts";
import type { ChangeNotice } from "../../src/shared-cache/key-cache.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { caught } from "../support/caught.ts";
import { idleCache } from "../support/idle-cache.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { ownStores } from "../support/stores.ts";
import { unsteadyStore } from "../support/unsteady-store.ts";
import { waitFor } from "../support/wait-for.ts";
import { agent, platform, vendors as regional } from "../support/worker.ts";

/** They take an account, too. */
const vendors = regional.map((vendor) => ({ ...vendor, accountHeaders: { organization: "x-org" } }));

const row = (at: number, more: Partial<KeyImport> = {}): KeyImport => ({
  orgId: `org-${at}`,
  provider: "ada",
  apiKey: `key-of-org-${at}`,
  ...more,
});
const rows = (count: number): KeyImport[] => Array.from({ length: count }, (_, at) => row(at));
const seqs = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);

const managed = async (options: Partial<KeyManagerOptions> = {}, inner: KeyStore = memoryStore()) => {
  const store = unsteadyStore(inner);
  await store.migrate();
  const notices: ChangeNotice[] = [];
  const cache = idleCache({ invalidate: async (notice) => void notices.push(notice) });
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, cache, providers: vendors, deadlineMs: 20_000, ...options });
  return { store, keyring, manager, notices };
};

describe.each(ownStores)("an import into %s", (_, open) => {
  it("stores every row in batches of 500, answers each in its place, and workers are served from it", async () => {
    await using own = await open();
    const { manager, store, notices, keyring } = await managed({}, own.store);
    const imported = await manager.setMany(rows(1_201), { actor: "ann" });
    expect(imported.map(({ orgId, seq }) => [orgId, seq])).toEqual(
      seqs(1, 1_201).map((seq) => [`org-${seq - 1}`, seq]),
    );
    expect(store.sent.puts).toBe(3);
    expect(notices).toEqual([
      { orgId: null, firstSeq: 1, seq: 500 },
      { orgId: null, firstSeq: 501, seq: 1_000 },
      { orgId: null, firstSeq: 1_001, seq: 1_201 },
    ]);
    const { worker } = await platform(own.store);
    await using here = worker({ keyring });
    for (const at of [0, 700, 1_200]) {
      expect((await here.resolver.resolve(`org-${at}`, agent)).llm.credential.key.reveal()).toBe(`key-of-org-${at}`);
    }
    const { entries } = await manager.audit("org-700");
    expect(entries).toMatchObject([{ action: "added", actor: "ann", seq: 701, secretId: imported[700]?.secretId }]);
  });
});

describe("an import", () => {
  it("says of each row what is wrong with it, and stores the others", async () => {
    const { manager } = await managed();
    const odd = [
      row(1),
      row(2, { orgId: "" }),
      row(3, { provider: "nobody" }),
      row(4, { apiKey: "two words" }),
      row(5, { region: "moon" }),
      row(6, { apiKey: 7 as unknown as string }),
      null as unknown as KeyImport,
      row(8),
      row(9, { account: { project: "p" } }),
      row(10, { account: { organization: "" } }),
      row(11, { account: {} }),
    ];
    const imported = await manager.setMany(odd);
    expect(imported.map(({ error }) => error?.code)).toEqual([
      undefined,
      "org_invalid",
      "provider_unknown",
      "key_malformed",
      "region_unknown",
      "key_malformed",
      "options_invalid",
      undefined,
      "account_unsupported",
      "options_invalid",
      "options_invalid",
    ]);
    expect(imported.map(({ seq }) => seq).filter((seq) => seq !== undefined)).toEqual([1, 2]);
    expect(imported[3]?.error).toMatchObject({
      orgId: "org-4",
      provider: "ada",
      message: expect.not.stringContaining("two words"),
    });
  });

  it("of two rows of the same key stores the later one", async () => {
    const { manager, keyring, store } = await managed();
    const imported = await manager.setMany([row(1), row(1, { apiKey: "the-later-key" })]);
    expect(imported.map(({ seq, error }) => [seq, error?.code])).toEqual([
      [undefined, "key_changed"],
      [1, undefined],
    ]);
    const [stored] = await store.describe("org-1");
    const { secretId = "", sealed = "" } = stored ?? {};
    const context = { orgId: "org-1", provider: "ada", secretId, region: null, account: null };
    expect((await keyring.open(sealed, context)).reveal()).toBe("the-later-key");
  });

  it("keeps the region that is stored where a row names none, and clears it where a row says so", async () => {
    const { manager } = await managed();
    await manager.set("org-1", { provider: "ada", apiKey: "own-key", region: "eu" });
    await manager.setMany([row(1), row(2, { region: "eu" })]);
    expect(await manager.describe("org-1")).toMatchObject([{ region: "eu" }]);
    expect(await manager.describe("org-2")).toMatchObject([{ region: "eu" }]);
    await manager.setMany([row(1, { region: null })]);
    expect(await manager.describe("org-1")).toMatchObject([{ region: null }]);
  });

  it("keeps the account that is stored where a row names none, and clears it where a row says so", async () => {
    const { manager } = await managed();
    const account = { organization: "org-1" };
    await manager.set("org-1", { provider: "ada", apiKey: "own-key", account });
    await manager.setMany([row(1), row(2, { account })]);
    const stored = { account: { organization: "org-1", project: null } };
    expect(await manager.describe("org-1")).toMatchObject([stored]);
    expect(await manager.describe("org-2")).toMatchObject([stored]);
    await manager.setMany([row(1, { account: null })]);
    expect(await manager.describe("org-1")).toMatchObject([{ account: null }]);
  });

  it("does not bring back a key that was removed while its batch was under way", async () => {
    const { manager, store } = await managed();
    const release = store.hold();
    const importing = manager.setMany([row(1), row(2)]);
    store.flow();
    await manager.remove("org-1", { provider: "ada" });
    release();
    expect((await importing).map(({ seq, error }) => [seq, error?.code])).toEqual([
      [undefined, "key_changed"],
      [1, undefined],
    ]);
    expect(await manager.describe("org-1")).toEqual([]);
  });

  it("that is repeated under its idempotency keys is the same import", async () => {
    const { manager } = await managed();
    const keyed = [row(1, { idempotencyKey: "a" }), row(2, { idempotencyKey: "b" })];
    expect(await manager.setMany(keyed)).toEqual(await manager.setMany(keyed));
    expect((await manager.audit("org-1")).entries).toHaveLength(1);
  });

  it("asks no provider, whatever the manager does otherwise", async () => {
    const asked: string[] = [];
    const check = async () => {
      asked.push("asked");
      return { verdict: "invalid" } as const;
    };
    const { manager } = await managed({ providers: vendors.map((vendor) => ({ ...vendor, check })) });
    expect((await manager.setMany(rows(3))).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(asked).toEqual([]);
  });

  it("does not try what stands behind a batch that failed, and goes on when the rest is sent again", async () => {
    const { manager, store, notices } = await managed();
    const inner = store.putMany.bind(store);
    const failing: KeyStore = {
      ...store,
      async putMany(keys) {
        if (keys[0]?.orgId === "org-500") store.isDown = true;
        return await inner(keys);
      },
    };
    const broken = createKeyManager({ store: failing, keyring: createKeyring(generateKeyring()), providers: vendors });
    const imported = await broken.setMany(rows(1_600));
    expect(imported.slice(0, 500).every(({ seq }) => seq !== undefined)).toBe(true);
    expect(imported.slice(500).every(({ error }) => error?.code === "store_unavailable" && error.retryable)).toBe(true);
    expect(imported[1_599]?.error?.message).toContain("not tried");
    store.isDown = false;
    const again = rows(1_600).filter((_, at) => imported[at]?.error !== undefined);
    expect((await manager.setMany(again)).map(({ seq }) => seq)).toEqual(seqs(501, 1_600));
    expect(notices.at(-1)).toEqual({ orgId: null, firstSeq: 1_501, seq: 1_600 });
  });

  it("that may or may not be stored is told to workers as such", async () => {
    const { manager, store, notices } = await managed({ deadlineMs: 1_000 });
    const putMany = store.putMany.bind(store);
    store.putMany = async (keys) => {
      await putMany(keys);
      throw new Error("The connection was lost.");
    };
    const [imported] = await manager.setMany([row(1)]);
    expect(imported?.error).toMatchObject({ code: "store_unavailable", orgId: "org-1" });
    await waitFor(() => expect(notices).toEqual([{ orgId: null, seq: null }]));
  });

  it("by an actor that cannot be written down is options_invalid, and nothing is stored", async () => {
    const { manager, store } = await managed();
    expect((await caught(manager.setMany(rows(2), { actor: "" }))).code).toBe("options_invalid");
    expect(store.sent.puts).toBe(0);
  });

  it("of nothing is nothing", async () => {
    const { manager, store } = await managed();
    expect(await manager.setMany([])).toEqual([]);
    expect(store.sent.puts).toBe(0);
  });

  it("ends each batch by one deadline, whichever of its steps takes the time", async () => {
    const store = unsteadyStore(memoryStore());
    await store.migrate();
    const clock = new ManualClock();
    const keyring = createKeyring(generateKeyring());
    const manager = createKeyManagerOn(clock, { store, keyring, providers: vendors, deadlineMs: 1_000 });
    const places = store.hold();
    const importing = manager.setMany([row(1)]);
    await settle();
    await clock.advance(600);
    const puts = store.hold();
    places();
    await waitFor(() => expect(store.sent.puts).toBe(1));
    await clock.advance(400);
    expect((await importing)[0]?.error).toMatchObject({ code: "deadline_exceeded", orgId: "org-1", retryable: true });
    puts();
  });

  it("keeps it that no repetition mends what failed", async () => {
    const { store } = await managed();
    const lasting = new ByokError("store_unavailable", "Read-only.", { retryable: false });
    const putMany = async (): Promise<never> => {
      throw lasting;
    };
    const keyring = createKeyring(generateKeyring());
    const manager = createKeyManager({ store: { ...store, putMany }, keyring, providers: vendors });
    expect((await manager.setMany([row(1)]))[0]?.error).toMatchObject({ retryable: false, orgId: "org-1" });
  });
});
