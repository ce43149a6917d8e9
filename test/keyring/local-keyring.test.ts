import { KeyObject } from "node:crypto";
import { inspect } from "node:util";
import { CompactEncrypt } from "jose";
import { describe, expect, it } from "vitest";
import { isByokError } from "../../src/errors.ts";
import type { EncryptionContext } from "../../src/keyring/keyring.ts";
import { generateKeyring, type KeyringJson, parseKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { Secret } from "../../src/secret.ts";

const json = generateKeyring("kek-1");
const keyring = createKeyring(json);
const context = { orgId: "org-a", provider: "openai", secretId: "secret-1", region: null, account: null };
const planted = "planted-key-0123456789";
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "opened",
    (error: unknown) => (isByokError(error) ? error.code : "other"),
  );
const open = async (sealed: string, where: EncryptionContext = context) =>
  await codeOf(Promise.resolve(keyring.open(sealed, where)));
const key = (kid: string) => {
  const found = json.keys.find((jwk) => jwk.kid === kid);
  return Buffer.from(found?.k ?? "", "base64url");
};
const forge = async (header: Record<string, string>, secret: Uint8Array = key("kek-1")): Promise<string> =>
  await new CompactEncrypt(Buffer.from(planted))
    .setProtectedHeader({ alg: "A256GCMKW", enc: "A256GCM", kid: "kek-1", typ: "byok+jwe", ...header })
    .encrypt(secret);
const bound = { org: "org-a", sid: "secret-1", prv: "openai" };

describe("a keyring's keys", () => {
  it("are named apart in two keyrings of one moment, so that both fit into one ring", () => {
    const [a, b] = [generateKeyring(), generateKeyring()];
    expect(a.primary).not.toBe(b.primary);
    expect(a.cache.primary).not.toBe(b.cache.primary);
    const keys = [...a.keys, ...b.keys];
    const cacheKeys = [...a.cache.keys, ...b.cache.keys];
    parseKeyring({ primary: b.primary, keys, cache: { primary: b.cache.primary, keys: cacheKeys } });
  });

  it("are neither all zeros nor one key under two kids", () => {
    const ring = generateKeyring();
    const [only] = ring.keys;
    if (only === undefined) throw new Error("There is one key.");
    const zeros = { ...only, k: Buffer.alloc(32).toString("base64url") };
    for (const keys of [[zeros], [only, { ...only, kid: "other" }]]) {
      expect(() => parseKeyring({ ...ring, keys })).toThrow(expect.objectContaining({ code: "options_invalid" }));
    }
  });
});

describe("a sealed key", () => {
  it("opens under exactly what it was sealed for", async () => {
    const { sealed, kid } = await keyring.seal(new Secret(planted), context);
    expect(kid).toBe("kek-1");
    expect((await keyring.open(sealed, context)).reveal()).toBe(planted);
  });

  it("is a compact JWE whose header names organisation, secret, provider, region and account, never the key", async () => {
    const { sealed } = await keyring.seal(new Secret(planted), {
      ...context,
      region: "eu",
      account: { organization: "org-1", project: "proj_1" },
    });
    const header = JSON.parse(Buffer.from(sealed.split(".")[0] ?? "", "base64url").toString());
    expect(header).toMatchObject({
      alg: "A256GCMKW",
      enc: "A256GCM",
      kid: "kek-1",
      typ: "byok+jwe",
      ...bound,
      rgn: "eu",
      aco: "org-1",
      acp: "proj_1",
    });
    expect(Buffer.from(sealed.split(".").join(""), "base64url").toString("latin1")).not.toContain(planted);
  });

  it.each([
    ["organisation", { orgId: "org-b" }],
    ["provider", { provider: "xai" }],
    ["secret", { secretId: "secret-2" }],
    ["region", { region: "eu" }],
    ["organization", { account: { organization: "org-1", project: null } }],
    ["project", { account: { organization: null, project: "proj_1" } }],
  ])("does not open for another %s", async (_name, other) => {
    const { sealed } = await keyring.seal(new Secret(planted), context);
    expect(await open(sealed, { ...context, ...other })).toBe("key_undecryptable");
  });

  it("does not open for a part of its account, for another one, or for none", async () => {
    const account = { organization: "org-1", project: "proj_1" };
    const { sealed } = await keyring.seal(new Secret(planted), { ...context, account });
    expect(await open(sealed, { ...context, account })).toBe("opened");
    for (const other of [null, { ...account, organization: null }, { ...account, project: null }]) {
      expect(await open(sealed, { ...context, account: other })).toBe("key_undecryptable");
    }
    const swapped = { organization: account.project, project: account.organization };
    expect(await open(sealed, { ...context, account: swapped })).toBe("key_undecryptable");
  });

  it("without an account is bound to what it was bound to before there were any", async () => {
    const { sealed } = await keyring.seal(new Secret(planted), context);
    const header = JSON.parse(Buffer.from(sealed.split(".")[0] ?? "", "base64url").toString());
    const { iv: _iv, tag: _tag, ...shown } = header;
    expect(shown).toEqual({ alg: "A256GCMKW", enc: "A256GCM", kid: "kek-1", typ: "byok+jwe", ...bound });
    expect(await open(await forge(bound))).toBe("opened");
  });

  it("does not open when one byte is changed, wherever it is", async () => {
    const { sealed } = await keyring.seal(new Secret(planted), context);
    const parts = sealed.split(".");
    for (const index of parts.keys()) {
      const changed = parts.map((part, at) => (at === index ? (part[0] === "A" ? "B" : "A") + part.slice(1) : part));
      expect(await open(changed.join("."))).toBe("key_undecryptable");
    }
  });

  it("takes its algorithms from the keyring, never from the header", async () => {
    expect(await open(await forge(bound))).toBe("opened");
    const direct = await new CompactEncrypt(Buffer.from(planted))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: "kek-1", typ: "byok+jwe", ...bound })
      .encrypt(key("kek-1"));
    expect(await open(direct)).toBe("key_undecryptable");
    const weaker = await new CompactEncrypt(Buffer.from(planted))
      .setProtectedHeader({ alg: "A256GCMKW", enc: "A128GCM", kid: "kek-1", typ: "byok+jwe", ...bound })
      .encrypt(key("kek-1"));
    expect(await open(weaker)).toBe("key_undecryptable");
  });

  it("is not taken for a token of another kind", async () => {
    expect(await open(await forge({ ...bound, typ: "JWT" }))).toBe("key_undecryptable");
  });

  it("under a kid that the keyring lacks is an outdated keyring, and no other key is tried", async () => {
    expect(await open(await forge({ ...bound, kid: "kek-9" }))).toBe("keyring_outdated");
  });

  it("is not parsed beyond its size", async () => {
    expect(await open(`${await forge(bound)}${"A".repeat(5_000)}`)).toBe("key_undecryptable");
    expect(await open(await forge({ ...bound, pad: "x".repeat(5_000) }))).toBe("key_undecryptable");
  });

  it("is never made longer than what is parsed", async () => {
    const seal = (length: number) => keyring.seal(new Secret("x".repeat(length)), context);
    expect(await codeOf(Promise.resolve(seal(4_000)))).toBe("key_malformed");
    const widest = {
      orgId: "\u{10348}".repeat(127),
      provider: "p".repeat(40),
      secretId: "s".repeat(36),
      region: "eu",
      account: { organization: "o".repeat(128), project: "p".repeat(128) },
    };
    const { sealed } = await keyring.seal(new Secret("\u20ac".repeat(512)), widest);
    expect((await keyring.open(sealed, widest)).reveal()).toBe("\u20ac".repeat(512));
  });

  it("opens to exactly the text that was sealed", async () => {
    for (const text of ["\ufeffkey", "", "k\u0000y", "\u{1f511}"]) {
      const { sealed } = await keyring.seal(new Secret(text), context);
      expect((await keyring.open(sealed, context)).reveal()).toBe(text);
    }
  });

  it("is sealed under a content key of its own", async () => {
    const [one, two] = await Promise.all([1, 2].map(() => keyring.seal(new Secret(planted), context)));
    expect(one?.sealed.split(".")[1]).not.toBe(two?.sealed.split(".")[1]);
    expect(one?.sealed.split(".")[3]).not.toBe(two?.sealed.split(".")[3]);
  });

  it.each([
    "",
    ".",
    "....",
    "not a token",
    "eyJraWQiOjF9.a.b.c.d",
  ])("of no shape at all (%j) is undecryptable", async (sealed) => {
    expect(await open(sealed)).toBe("key_undecryptable");
  });

  it("fails without a cause, and without the token or the key in the error", async () => {
    const { sealed } = await keyring.seal(new Secret(planted), context);
    const error = await Promise.resolve(keyring.open(sealed, { ...context, orgId: "org-b" })).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).not.toHaveProperty("cause");
    const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
    expect(shown).not.toContain(planted);
    expect(shown).not.toContain(sealed.slice(-20));
  });

  it("of an older primary still opens after the primary has changed", async () => {
    const { sealed } = await keyring.seal(new Secret(planted), context);
    const newer = generateKeyring("kek-2");
    const both = createKeyring({ ...newer, keys: [...newer.keys, ...json.keys] });
    expect((await both.open(sealed, context)).reveal()).toBe(planted);
    expect((await both.seal(new Secret(planted), context)).kid).toBe("kek-2");
  });
});

describe("a keyring", () => {
  const [first] = json.keys;
  const other = generateKeyring("kek-3");
  const broken: readonly (readonly [string, unknown])[] = [
    ["a kid twice", { ...json, keys: [...json.keys, { ...other.keys[0], kid: "kek-1" }] }],
    ["a key of 31 bytes", { ...json, keys: [{ ...first, k: Buffer.alloc(31, 7).toString("base64url") }] }],
    ["a key that is not base64url", { ...json, keys: [{ ...first, k: "+".repeat(43) }] }],
    ["a key in plain base64", { ...json, keys: [{ ...first, k: `${Buffer.alloc(32, 255).toString("base64")}` }] }],
    ["a key with stray last bits", { ...json, keys: [{ ...first, k: `${"A".repeat(42)}B` }] }],
    ["a key that is not text", { ...json, keys: [{ ...first, k: Array.from({ length: 32 }, () => 0) }] }],
    ["a key that is no object", { ...json, keys: [null] }],
    ["a primary that it lacks", { ...json, primary: "kek-9" }],
    ["no keys", { ...json, keys: [] }],
    ["another alg", { ...json, keys: [{ ...first, alg: "dir" }] }],
    ["another kty", { ...json, keys: [{ ...first, kty: "RSA" }] }],
    ["a hostile kid", { ...json, primary: "../../etc", keys: [{ ...first, kid: "../../etc" }] }],
    ["no cache ring", { primary: json.primary, keys: json.keys }],
    ["a cache primary that it lacks", { ...json, cache: { ...json.cache, primary: "none" } }],
    ["one key in both rings", { ...json, cache: { primary: "c", keys: [{ ...first, kid: "c", alg: "A256GCM" }] } }],
    ["text that is not JSON", "{"],
    ["null", null],
  ];

  it.each(broken)("with %s is refused, and the error shows no key", (_name, wrong) => {
    try {
      createKeyring(wrong as KeyringJson);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "options_invalid" });
      expect(inspect(error)).not.toContain(first?.k);
    }
  });

  it("is read from its JSON text as well", async () => {
    const { sealed } = await keyring.seal(new Secret(planted), context);
    expect((await createKeyring(JSON.stringify(json)).open(sealed, context)).reveal()).toBe(planted);
  });

  it("is generated with one fresh key for each ring, named after the month", () => {
    const generated = generateKeyring();
    expect(generated.primary).toMatch(/^kek-\d{4}-\d{2}-[\da-f]{8}$/u);
    expect(generated.cache.primary).toBe(`cache-${generated.primary}`);
    const all = [generated, other].flatMap(({ keys, cache }) => [...keys, ...cache.keys]).map(({ k }) => k);
    expect(new Set(all).size).toBe(4);
    expect(() => generateKeyring("No Such Kid")).toThrow(expect.objectContaining({ code: "options_invalid" }));
    expect(() => createKeyring(generateKeyring("k".repeat(32)))).not.toThrow();
  });

  it("shows no key when it is inspected, and holds it as an opaque object", () => {
    expect(parseKeyring(json).keys.primaryKey).toBeInstanceOf(KeyObject);
    const shown = inspect([keyring, parseKeyring(json)], { depth: Number.POSITIVE_INFINITY, showHidden: true });
    expect(shown).not.toContain(first?.k);
  });
});
