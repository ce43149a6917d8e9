import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { CompactEncrypt, compactDecrypt } from "jose";
import { describe, expect, it } from "vitest";
import { isByokError } from "../../src/errors.ts";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { Secret } from "../../src/secret.ts";
import { type Forgery, fields, forgeJwe, spell } from "../support/forge-jwe.ts";

type Forged = Forgery & { readonly plain?: Uint8Array };

const planted = "planted-key-0123456789";
const [json, other] = [generateKeyring("kek-1"), generateKeyring("kek-2")];
const keyring = createKeyring({ ...json, keys: [...json.keys, ...other.keys] });
const secretOf = ({ keys: [jwk] }: typeof json): Buffer => Buffer.from(jwk?.k ?? "", "base64url");
const kek = secretOf(json);
const context = { orgId: "org-a", provider: "openai", secretId: "secret-1", region: null, account: null };
const forge = ({ plain = Buffer.from(planted), ...forgery }: Forged = {}): string[] => forgeJwe(kek, plain, forgery);

const outcomeOf = async (sealed: string): Promise<string> =>
  await Promise.resolve(keyring.open(sealed, context)).then(
    (secret) => `opened: ${secret.reveal()}`,
    (error: unknown) => (isByokError(error) ? error.code : String(error)),
  );
const joses = { keyManagementAlgorithms: ["A256GCMKW"], contentEncryptionAlgorithms: ["A256GCM"] };
const joseOpens = async (sealed: string): Promise<boolean> =>
  await compactDecrypt(sealed, kek, joses).then(
    () => true,
    () => false,
  );

const raw = (text: string) => (header: object) => text.replace("...", JSON.stringify(header).slice(1, -1));
const without = (name: string) => (header: object) => JSON.stringify({ ...header, [name]: undefined });
const swapped = (parts: readonly string[], [a, b]: readonly [number, number]) =>
  parts.map((part, at) => (at === a ? (parts[b] ?? "") : at === b ? (parts[a] ?? "") : part));

/** Authentic, and asks for what byokit does not do. */
const authentic: readonly (readonly [string, Forged])[] = [
  ...["A128GCMKW", "A192GCMKW", "A256KW", "dir", "a256gcmkw", "", "toString", 7, null, ["A256GCMKW"]].map(
    (alg) => [`the alg ${JSON.stringify(alg)}`, { header: { alg } }] as const,
  ),
  ...["A128GCM", "A256CBC-HS512", "A256GCM ", "", "__proto__", null, ["A256GCM"]].map(
    (enc) => [`the enc ${JSON.stringify(enc)}`, { header: { enc } }] as const,
  ),
  ["no alg", { write: without("alg") }],
  ["no enc", { write: without("enc") }],
  ...[["exp"], ["kid"], ["b64"], [], null, "exp", {}, 0].map(
    (crit) => [`the crit ${JSON.stringify(crit)}`, { header: { crit } }] as const,
  ),
  ...["GZIP", "", null, false, ["DEF"]].map((zip) => [`the zip ${JSON.stringify(zip)}`, { header: { zip } }] as const),
  ["compressed text", { header: { zip: "DEF" }, plain: deflateRawSync(planted) }],
  ["another typ", { header: { typ: "JWT" } }],
  ["no typ", { write: without("typ") }],
  ["an organisation in a list", { header: { org: ["org-a"] } }],
  [
    "an organisation that is inherited",
    { write: (header) => raw('{...,"__proto__":{"org":"org-a"}}')({ ...header, org: undefined }) },
  ],
  ["a region", { header: { rgn: "eu" } }],
  ["an account", { header: { aco: "org-1" } }],
  ["another organisation behind its own", { write: raw('{...,"org":"org-b"}') }],
  ["another key's kid", { header: { kid: "kek-2" } }],
  ["a header that is no UTF-8", { write: (header) => Buffer.from(raw('{...,"x":"\u00ff"}')(header), "latin1") }],
  ["a header that is padded", { spellHead: (head) => `${head}${"=".repeat((4 - (head.length % 4)) % 4 || 1)}` }],
  ["a header with a line feed", { spellHead: (head) => `${head}\n` }],
  ["a nonce of 16 bytes", { ivLength: 16 }],
  ["a nonce of 8 bytes", { ivLength: 8 }],
  ["a nonce of 16 bytes for its key", { keyIvLength: 16 }],
  ["a nonce of 8 bytes for its key", { keyIvLength: 8 }],
  ...[15, 12, 8, 4, 0].map((tagLength) => [`a tag of ${tagLength} bytes`, { tagLength }] as const),
  ...[15, 12, 8, 4, 0].map((keyTagLength) => [`a tag of ${keyTagLength} bytes for its key`, { keyTagLength }] as const),
  ["a tag for its key that is a list", { spellTag: (tag) => [spell(tag)] }],
  ["a tag for its key that is padded", { spellTag: (tag) => `${spell(tag)}==` }],
  ["a tag for its key with a blank", { spellTag: (tag) => ` ${spell(tag)}` }],
  ["a nonce for its key that is a list", { spellIv: (iv) => [...iv] }],
  ["a nonce for its key in plain base64", { spellIv: (iv) => spell(iv).replace(/^./u, "+") }],
  ["no nonce for its key", { write: without("iv") }],
  ["no tag for its key", { write: without("tag") }],
  ["a content key of 16 bytes", { contentKey: randomBytes(16) }],
  ["a content key of 24 bytes", { contentKey: randomBytes(24) }],
  ["text that is bound to nothing", { bound: () => "" }],
  ["text that is bound to the header's bytes", { bound: (head) => Buffer.from(head, "base64url").toString() }],
  ["text that is bound to the header and a dot", { bound: (head) => `${head}.` }],
  ["a key that was wrapped by another key", { kek: secretOf(other) }],
];

/** Nothing of the header is a kid, so that no key is chosen. */
const nameless: readonly (readonly [string, Forged])[] = [
  ...["", "KEK-1", "kek-1 ", "../kek-1", "k".repeat(33), 1, null, ["kek-1"], { kid: "kek-1" }].map(
    (kid) => [`the kid ${JSON.stringify(kid)}`, { header: { kid } }] as const,
  ),
  ["no kid", { write: without("kid") }],
  [
    "a kid that is inherited",
    { write: (header) => raw('{...,"__proto__":{"kid":"kek-1"}}')({ ...header, kid: undefined }) },
  ],
  ["a header that is a list", { write: raw("[{...}]") }],
  ["a header that is text", { write: () => '"kek-1"' }],
  ["a header that is null", { write: () => "null" }],
  ["a header that is not JSON", { write: raw("{...") }],
  ["text behind its header", { write: raw("{...} {}") }],
  ["a byte order mark", { write: raw("\ufeff{...}") }],
  ["no header", { write: () => "" }],
];

const headerText = (parts: readonly string[]): string => Buffer.from(parts[0] ?? "", "base64url").toString();
const rewritten = (parts: readonly string[], change: (text: string) => string): string[] => [
  spell(Buffer.from(change(headerText(parts)))),
  ...parts.slice(1),
];

/** A token that was sealed, changed by somebody without the key. */
const tampered: readonly (readonly [string, (parts: readonly string[]) => readonly string[]])[] = [
  ["four parts", (parts) => parts.slice(0, 4)],
  ["six parts", (parts) => [...parts, ""]],
  ["its last part twice", (parts) => [...parts, parts[4] ?? ""]],
  [
    "its header written anew with blanks",
    (parts) => rewritten(parts, (text) => JSON.stringify(JSON.parse(text), null, 1)),
  ],
  ["a field added to its header", (parts) => rewritten(parts, (text) => text.replace(/\}$/u, ',"x":1}'))],
  ["a crit added to its header", (parts) => rewritten(parts, (text) => text.replace(/\}$/u, ',"crit":["x"],"x":1}'))],
  ["a zip added to its header", (parts) => rewritten(parts, (text) => text.replace(/\}$/u, ',"zip":"DEF"}'))],
  ["its own kid twice", (parts) => rewritten(parts, (text) => text.replace(/\}$/u, ',"kid":"kek-1"}'))],
  ["another alg", (parts) => rewritten(parts, (text) => text.replace("A256GCMKW", "A128GCMKW"))],
  ["another enc", (parts) => rewritten(parts, (text) => text.replace('"A256GCM"', '"A128GCM"'))],
  ...[0, 1, 2, 3, 4].flatMap((index) => {
    const at = (change: (part: string) => string) => (parts: readonly string[]) =>
      parts.map((part, place) => (place === index ? change(part) : part));
    return [
      [`part ${index} of another token`, at(() => forge()[index] ?? "")],
      ...(index === 0 ? [] : [[`part ${index} empty`, at(() => "")] as const]),
      [`part ${index} padded`, at((part) => `${part}${"=".repeat((4 - (part.length % 4)) % 4 || 1)}`)],
      [`part ${index} behind a blank`, at((part) => ` ${part}`)],
      [`part ${index} with a line feed`, at((part) => `${part}\n`)],
      [`part ${index} with a zero byte`, at((part) => `${part}\0`)],
      [`part ${index} with a letter beyond ASCII`, at((part) => `${part}\u0161`)],
      [`part ${index} with stray last bits`, at(withStrayBits)],
      ...(index === 0 ? [] : [[`part ${index} shorter by a character`, at((part) => part.slice(0, -1))] as const]),
      [
        `part ${index} longer by a byte`,
        at((part) => spell(Buffer.concat([Buffer.from(part, "base64url"), Buffer.alloc(1)]))),
      ],
    ] as const;
  }),
  ...(
    [
      [1, 2],
      [1, 3],
      [1, 4],
      [2, 3],
      [2, 4],
      [3, 4],
    ] as const
  ).map((pair) => [`parts ${pair.join(" and ")} swapped`, (parts: readonly string[]) => swapped(parts, pair)] as const),
];

/** The same bytes, spelt in another way where their number leaves bits over; else another byte. */
function withStrayBits(part: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return part.slice(0, -1) + (alphabet[alphabet.indexOf(part.at(-1) ?? "") ^ 1] ?? "");
}

const refusalOf = async (sealed: string): Promise<unknown> =>
  await Promise.resolve(keyring.open(sealed, context)).then(
    () => "opened",
    (error: unknown) => error,
  );
const refused = {
  code: "key_undecryptable",
  orgId: "org-a",
  provider: "openai",
  retryable: false,
  message:
    "The secret secret-1 (kek-1) does not open for this organisation, provider, region and account. Ask the organisation to enter its key again.",
};

describe("a sealed key of somebody who has the keyring", () => {
  it("opens where nothing is wrong with it", async () => {
    expect(await outcomeOf(forge().join("."))).toBe(`opened: ${planted}`);
    expect(await outcomeOf(forge({ header: { x: { y: [1] }, exp: 1, rgn: null } }).join("."))).toBe(
      `opened: ${planted}`,
    );
    expect(await outcomeOf(forge({ kek: secretOf(other), header: { kid: "kek-2" } }).join("."))).toBe(
      `opened: ${planted}`,
    );
  });

  it.each(authentic)("does not open with %s", async (_name, forgery) => {
    const sealed = forge(forgery).join(".");
    const kid = forgery.header !== undefined && "kid" in forgery.header ? "kek-2" : "kek-1";
    expect(await refusalOf(sealed)).toMatchObject({ ...refused, message: refused.message.replace("kek-1", kid) });
  });

  it.each(nameless)("does not open with %s, and no key is tried", async (_name, forgery) => {
    const message = refused.message.replace("kek-1", "no kid");
    expect(await refusalOf(forge(forgery).join("."))).toMatchObject({ ...refused, message });
  });

  it("is read by the last of two kids, as of any two fields of one name", async () => {
    const twice = (first: string, last: string): string =>
      forge({ write: (header) => raw(`{"kid":"${first}",...,"kid":"${last}"}`)({ ...header, kid: undefined }) }).join(
        ".",
      );
    expect(await outcomeOf(twice("kek-9", "kek-1"))).toBe(`opened: ${planted}`);
    expect(await outcomeOf(twice("kek-1", "kek-9"))).toBe("keyring_outdated");
    expect(await outcomeOf(forge({ write: raw('{"org":"org-b",...}') }).join("."))).toBe(`opened: ${planted}`);
  });

  it("under a kid that the keyring lacks is an outdated keyring before anything else is said of it", async () => {
    const header = { kid: "kek-9" };
    const others: readonly Forged[] = [{}, { tagLength: 4 }, { ivLength: 16 }, { kek: secretOf(other) }];
    for (const forgery of others)
      expect(await outcomeOf(forge({ ...forgery, header }).join("."))).toBe("keyring_outdated");
    for (const more of [{ alg: "dir" }, { crit: ["x"] }, { org: "org-b" }]) {
      expect(await outcomeOf(forge({ header: { ...header, ...more } }).join("."))).toBe("keyring_outdated");
    }
  });
});

describe("a sealed key of somebody who has no keyring", () => {
  it.each(tampered)("does not open with %s", async (_name, tamper) => {
    const { sealed } = await keyring.seal(new Secret(planted), context);
    const parts = sealed.split(".");
    const message = expect.stringMatching(/^The secret secret-1 \((?:kek-1|no kid)\) does not open for this/u);
    expect(await refusalOf(tamper(parts).join("."))).toMatchObject({ ...refused, message });
  });

  it("does not open when any one character is another, is missing or is there twice", async () => {
    const { sealed } = await keyring.seal(new Secret(planted), context);
    for (let at = 0; at < sealed.length; at += 1) {
      const [before, after] = [sealed.slice(0, at), sealed.slice(at + 1)];
      for (const there of ["", "A", "-", "=", "+", ".", " ", `${sealed[at]}${sealed[at]}`]) {
        if (there === sealed[at]) continue;
        expect(await outcomeOf(`${before}${there}${after}`)).toMatch(/^(?:key_undecryptable|keyring_outdated)$/u);
      }
    }
  });
});

describe("a sealed key and the standard", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 60 });
  const account = fc.option(fc.record({ organization: fc.option(text), project: fc.option(text) }));
  const anyContext = fc.record({ orgId: text, provider: text, secretId: text, region: fc.option(text), account });
  const binary = fc.string({ unit: "binary", maxLength: 80 }).map((given) => given.toWellFormed());

  it("is opened by jose, which finds the text that was sealed and what it is bound to", async () => {
    await fc.assert(
      fc.asyncProperty(binary, anyContext, async (plain, bound) => {
        const { sealed } = await keyring.seal(new Secret(plain), bound);
        const { plaintext, protectedHeader } = await compactDecrypt(sealed, kek, joses);
        expect(Buffer.from(plaintext).toString()).toBe(plain);
        const { orgId: org, secretId: sid, provider: prv } = bound;
        expect(protectedHeader).toMatchObject({
          alg: "A256GCMKW",
          enc: "A256GCM",
          kid: "kek-1",
          typ: "byok+jwe",
          org,
          sid,
          prv,
        });
        expect((await keyring.open(sealed, bound)).reveal()).toBe(plain);
      }),
      { numRuns: 60 },
    );
  });

  it("of jose's opens, and under what it was sealed for alone", async () => {
    await fc.assert(
      fc.asyncProperty(binary, async (plain) => {
        const jose = new CompactEncrypt(Buffer.from(plain)).setProtectedHeader(fields);
        const sealed = await jose.encrypt(kek);
        expect((await keyring.open(sealed, context)).reveal()).toBe(plain);
        await expect(keyring.open(sealed, { ...context, orgId: "org-b" })).rejects.toMatchObject({
          code: "key_undecryptable",
        });
      }),
      { numRuns: 60 },
    );
  });

  it("never opens where jose refuses it", async () => {
    const ours = [...authentic, ...nameless].map(([, forgery]) => forge(forgery));
    const theirs = forge();
    const all = [...ours, ...tampered.map(([, tamper]) => tamper(theirs))].map((parts) => parts.join("."));
    for (const sealed of all) {
      if (!(await joseOpens(sealed))) expect(await outcomeOf(sealed)).not.toMatch(/^opened/u);
    }
    expect(await joseOpens(theirs.join("."))).toBe(true);
  });
});
