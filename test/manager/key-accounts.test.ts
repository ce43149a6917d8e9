import { describe, expect, it } from "vitest";
import {
  createKeyManager,
  createKeyring,
  generateKeyring,
  type KeyInput,
  memoryStore,
  openai,
  type Provider,
  xai,
} from "../../src/index.ts";
import { caught } from "../support/caught.ts";

const account = { organization: "org-1", project: "proj_1" };
const apiKey = "customer-key-0123456789";
/** One without regions: nothing but the account is a reason to read what is stored. */
const { regions: _regions, ...withoutRegions } = openai;
const managed = async (provider = withoutRegions as Provider) => {
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, providers: [provider, xai], verify: "off" });
  const set = (more: Partial<KeyInput> = {}) => manager.set("org", { provider: "openai", apiKey, ...more });
  return { store, manager, set };
};

describe("the account of a key", () => {
  it("is kept by a change that names none, said by each, and cleared by null", async () => {
    const { manager, set } = await managed();
    expect(await set({ account })).toMatchObject({ account });
    expect(await set()).toMatchObject({ account });
    expect(await manager.describe("org")).toMatchObject([{ account }]);
    expect(await set({ account: null })).toMatchObject({ account: null });
    expect(await set()).toMatchObject({ account: null });
    expect(await manager.remove("org", { provider: "openai" })).toMatchObject({ account: null });
    const { entries } = await manager.audit("org");
    expect(entries.map((entry) => entry.account)).toEqual([null, null, null, account, account]);
  });

  it("is replaced as a whole", async () => {
    const { set } = await managed();
    await set({ account });
    expect(await set({ account: { project: "proj_2" } })).toMatchObject({
      account: { organization: null, project: "proj_2" },
    });
  });

  it("is what it was when the change was asked for, whatever its caller does to it then", async () => {
    const { set } = await managed();
    const given = { organization: "org-1" };
    const setting = set({ account: given });
    given.organization = "org-2\r\nx: y";
    expect(await setting).toMatchObject({ account: { organization: "org-1", project: null } });
  });

  it.each([
    ["nothing in it", {}],
    ["nothing but null in it", { organization: null, project: null }],
    ["an empty text", { organization: "" }],
    ["a blank", { organization: "org 1" }],
    ["a line break", { project: "proj_1\r\nx-smuggled: 1" }],
    ["a line break at its end", { project: "proj_1\n" }],
    ["a text beyond ASCII", { project: "proj_\u00e4" }],
    ["129 characters", { organization: "o".repeat(129) }],
    ["a number", { organization: 7 }],
    ["a field that is none", { organisation: "org-1" }],
    ["one field that is none", { ...account, user: "u" }],
    ["a list", ["org-1"]],
    ["a text", "org-1"],
  ])("with %s is options_invalid, and nothing is stored", async (_name, given) => {
    const { set, store } = await managed();
    const error = await caught(set({ account: given as never }));
    expect(error).toMatchObject({ code: "options_invalid" });
    expect(error.message).not.toMatch(/smuggled|org-1/u);
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0, keys: [] }]);
  });

  it("is refused by a provider whose keys need none; null is taken by everybody", async () => {
    const { manager, store } = await managed();
    const error = await caught(manager.set("org", { provider: "xai", apiKey, account }));
    expect(error).toMatchObject({ code: "account_unsupported", orgId: "org", provider: "xai", retryable: false });
    expect(error.message).toMatch(/leave the account out/u);
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0, keys: [] }]);
    expect(await manager.set("org", { provider: "xai", apiKey, account: null })).toMatchObject({ account: null });
  });

  it("tells two changes under one idempotency key apart, and one that is repeated is the same", async () => {
    const { set, manager } = await managed();
    const key = { idempotencyKey: "request-1" };
    const { seq } = await set({ ...key, account });
    const { openai_secret_id: first } = await manager.list("org");
    expect(await set({ ...key, account })).toMatchObject({ seq });
    for (const other of [
      null,
      { ...account, project: null },
      { organization: account.project, project: account.organization },
    ]) {
      const changed = await set({ ...key, account: other });
      expect(changed.seq).toBeGreaterThan(seq);
      expect(changed.byokKeys.openai_secret_id).not.toBe(first);
    }
  });

  it("is named in the catalogue by those whose keys may need one", async () => {
    const { manager } = await managed();
    const fields = manager.config().providers.map((provider) => [provider.id, provider.account_fields]);
    expect(fields).toEqual([
      ["openai", ["organization", "project"]],
      ["xai", []],
    ]);
  });
});
