import { describe, expect, it } from "vitest";
import { createHandler } from "../../src/http/index.ts";
import { createKeyManager, createKeyring, generateKeyring } from "../../src/index.ts";
import { Api } from "../support/api.ts";
import { ownStores } from "../support/stores.ts";

const keyring = createKeyring(generateKeyring());

describe.each(ownStores)("fifty writers of one organisation at once on %s", (_name, open) => {
  it("leave one key or none, references that match, and a trail whose last row is the state", async () => {
    await using own = await open();
    const authenticate = async () => ({ orgId: "org", canWrite: true });
    const apis = await Promise.all(
      Array.from({ length: 5 }, () => {
        const manager = createKeyManager({ store: own.store, keyring, verify: "off" });
        return Api.of(createHandler({ manager, authenticate }));
      }),
    );
    const api = apis[0] as Api;
    await api.send("POST", "/byok", { body: { provider: "openai", api_key: "own-key" } });
    const writes = Array.from({ length: 50 }, (_, at) => {
      const one = apis[at % 5] as Api;
      return at % 3 === 2
        ? one.send("DELETE", "/byok", { body: { provider: "openai" } })
        : one.send("POST", "/byok", { body: { provider: "openai", api_key: `own-key-${at}` } });
    });
    const answers = await Promise.all(writes);
    for (const { status, json } of answers) {
      expect([200, 409]).toContain(status);
      if (status === 409) expect(json.code).toBe("key_changed");
    }
    // Nobody asked after the last one of each process, and one of those five asked last of all.
    expect(answers.slice(-5).map(({ status }) => status)).toContain(200);
    const reference = (await api.send("GET", "/byok")).json.byok_keys.openai_secret_id;
    const [snapshot] = await own.store.snapshots(["org"]);
    expect(snapshot?.keys.map(({ secretId }) => secretId)).toEqual(reference === null ? [] : [reference]);
    const { audit } = (await api.send("GET", "/byok/audit?limit=200")).json;
    expect(audit[0]).toMatchObject({
      secret_id: reference,
      action: reference === null ? "removed" : expect.any(String),
    });
    expect(audit.map(({ seq }: { seq: number }) => seq)).toEqual(
      Array.from({ length: snapshot?.asOf ?? 0 }, (_, index) => (snapshot?.asOf ?? 0) - index),
    );
    const told = audit.toReversed() as { secret_id: string | null; previous_secret_id: string | null }[];
    for (const [at, row] of told.entries()) expect(row.previous_secret_id).toBe(told[at - 1]?.secret_id ?? null);
  });
});
