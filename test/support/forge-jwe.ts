import { createCipheriv, randomBytes } from "node:crypto";

/** The header of a key that is sealed under `kek-1` for one organisation. */
export const fields = {
  alg: "A256GCMKW",
  enc: "A256GCM",
  kid: "kek-1",
  typ: "byok+jwe",
  org: "org-a",
  sid: "secret-1",
  prv: "openai",
};
export const spell = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

/** What is wrong with a forged token; absent: nothing. */
export interface Forgery {
  readonly header?: object;
  /** Writes the header; absent: as JSON. */
  readonly write?: (header: object) => string | Uint8Array;
  readonly kek?: Uint8Array;
  readonly contentKey?: Uint8Array;
  readonly keyIvLength?: number;
  readonly ivLength?: number;
  readonly keyTagLength?: number;
  readonly tagLength?: number;
  /** How the header's nonce and tag are put into it. */
  readonly spellTag?: (tag: Uint8Array) => unknown;
  readonly spellIv?: (iv: Uint8Array) => unknown;
  readonly spellHead?: (head: string) => string;
  readonly bound?: (head: string) => string;
}

function encrypt(key: Uint8Array, iv: Uint8Array, plain: Uint8Array, bound: string) {
  const cipher = createCipheriv(`aes-${key.length * 8}-gcm` as "aes-256-gcm", key, iv, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(bound));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { iv, text, tag: cipher.getAuthTag() };
}

/** The parts of what somebody who has `kek` could seal: authentic in every byte, but for what is asked for. */
export function forgeJwe(kek: Uint8Array, plain: Uint8Array, forgery: Forgery = {}): string[] {
  const { header = {}, contentKey = randomBytes(32), spellIv = spell, spellTag = spell } = forgery;
  const wrapped = encrypt(forgery.kek ?? kek, randomBytes(forgery.keyIvLength ?? 12), contentKey, "");
  const keyTag = wrapped.tag.subarray(0, forgery.keyTagLength ?? 16);
  const { write = (value) => JSON.stringify(value) } = forgery;
  const written = write({ ...fields, iv: spellIv(wrapped.iv), tag: spellTag(keyTag), ...header });
  const spelt = spell(Buffer.from(written as string));
  const head = forgery.spellHead?.(spelt) ?? spelt;
  const { iv, text, tag } = encrypt(
    contentKey,
    randomBytes(forgery.ivLength ?? 12),
    plain,
    forgery.bound?.(head) ?? head,
  );
  return [head, ...[wrapped.text, iv, text, tag.subarray(0, forgery.tagLength ?? 16)].map(spell)];
}
