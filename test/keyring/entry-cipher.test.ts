import { expect, it } from "vitest";
import { SnapshotCodec } from "../../src/coherence/snapshot-codec.ts";
import { createEntryCipher } from "../../src/keyring/entry-cipher.ts";
import { generateKeyring, parseKeyring } from "../../src/keyring/keyring-json.ts";
import { Secret } from "../../src/secret.ts";

const json = generateKeyring("kek-1");
const cipher = createEntryCipher(parseKeyring(json).cache);
const bound = Buffer.from("org-a");
const plain = Buffer.from("planted-key-0123456789");
const sealed = cipher.seal(plain, bound);

it("opens what it has sealed, for what it was sealed for", () => {
  expect(cipher.open(sealed, bound)).toEqual(plain);
  expect(cipher.open(sealed, Buffer.from("org-b"))).toBeUndefined();
  expect(sealed.includes(plain)).toBe(false);
  expect(cipher.seal(plain, bound)).not.toEqual(sealed);
});

it("opens nothing of which one byte was changed or cut off, wherever it is", () => {
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(["unknown_kid", undefined]).toContain(cipher.open(changed, bound));
    expect(["unknown_kid", undefined]).toContain(cipher.open(sealed.subarray(0, at), bound));
  }
});

it("takes no shorter tag", () => {
  const kidEnd = 2 + (sealed[1] ?? 0);
  const short = Buffer.concat([sealed.subarray(0, kidEnd + 12 + 4), sealed.subarray(kidEnd + 28)]);
  expect(cipher.open(short, bound)).toBeUndefined();
});

it("says when it lacks the key, and opens under every key of its ring", () => {
  const newer = generateKeyring("kek-2");
  const both = { primary: newer.cache.primary, keys: [...newer.cache.keys, ...json.cache.keys] };
  const rolled = createEntryCipher(parseKeyring({ ...json, cache: both }).cache);
  expect(rolled.open(sealed, bound)).toEqual(plain);
  expect(cipher.open(rolled.seal(plain, bound), bound)).toBe("unknown_kid");
});

it("an entry says what it holds, keys that did not open included, and nothing else is taken for one", () => {
  const codec = new SnapshotCodec(cipher);
  const sealedKey = {
    provider: "xai",
    name: "default",
    secretId: "s2",
    region: null,
    account: null,
    kid: "kek-9",
    sealed: "eyJ",
  };
  const keys = new Map([
    [
      "openai",
      {
        secretId: "s1",
        region: "eu",
        account: { organization: "org-1", project: null },
        secret: new Secret("planted-key"),
      },
    ],
    ["xai", { secretId: "s2", region: null, account: null, reason: "keyring_outdated" as const, sealedKey }],
  ]);
  const snapshot = { orgId: "org", incarnation: "one", asOf: 7, changeId: "m7", keys };
  const entry = codec.seal(snapshot) ?? Buffer.alloc(0);
  const opened = codec.open("org", entry);
  expect(opened).toMatchObject({ orgId: "org", incarnation: "one", asOf: 7, changeId: "m7" });
  if (typeof opened === "string") return expect.fail(opened);
  const key = opened.keys.get("openai");
  expect(key !== undefined && "secret" in key && key.secret.reveal()).toBe("planted-key");
  expect(key?.account).toEqual({ organization: "org-1", project: null });
  expect(opened.keys.get("xai")).toEqual(keys.get("xai"));
  expect(codec.open("other", entry)).toBe("unopened");
  for (const wrong of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(300), Buffer.from("text of somebody else's")]) {
    expect(codec.open("org", wrong)).toBe("unopened");
  }
  expect(codec.open("org", Buffer.alloc(300_000))).toBe("too_large");
  const many = Array.from({ length: 900 }, (_, at) => [`p${at}`, { ...key, secretId: "s".repeat(300) }] as const);
  expect(codec.seal({ ...snapshot, keys: new Map(many) as never })).toBeUndefined();
});

it("an entry of a release without accounts is another rollout's, whose keys would be sent without theirs", () => {
  const head = Buffer.from(JSON.stringify({ v: 1, incarnation: "one", asOf: 7, changeId: "m7" }));
  const rows = Buffer.from(JSON.stringify([{ provider: "openai", secretId: "s1", region: null, key: "planted-key" }]));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(head.length);
  const entry = Buffer.concat([length, head, cipher.seal(rows, Buffer.concat([Buffer.from("org\0"), head]))]);
  expect(new SnapshotCodec(cipher).open("org", entry)).toBe("unknown_kid");
});
