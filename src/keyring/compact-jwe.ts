import { isUtf8 } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { nodeCrypto } from "../node-crypto.ts";
import { copyOwn, isRecord } from "../own-property.ts";
import { decryptGcm, encryptGcm, keyLength } from "./aes-gcm.ts";
import { decodeBase64url } from "./decode-base64url.ts";

/** A compact JWE (RFC 7516) whose content key is wrapped by AES-256-GCM: no other is made, and no other opens. */
const alg = "A256GCMKW";
const enc = "A256GCM";

/** A header's parameters. It inherits nothing. */
export type JweHeader = Readonly<Record<string, unknown>>;

const unbound = new Uint8Array(0);

/** Seals under a content key of its own. `header` says what the text is bound to, and may not name `alg`, `enc`, `iv` or `tag`. */
export function sealJwe(plain: Uint8Array, header: JweHeader, key: KeyObject): string {
  const contentKey = nodeCrypto().randomBytes(keyLength);
  const wrapped = encryptGcm(key, contentKey, unbound);
  const { iv, tag } = wrapped;
  const head = encode(Buffer.from(JSON.stringify({ alg, enc, ...header, iv: encode(iv), tag: encode(tag) })));
  const sealed = encryptGcm(takeKey(contentKey), plain, toBound(head));
  return [head, ...[wrapped.text, sealed.iv, sealed.text, sealed.tag].map(encode)].join(".");
}

/** Reads the header and trusts nothing of it; `undefined` where there is none to be read. */
export function readHeader(sealed: string): JweHeader | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(sealed.slice(0, sealed.indexOf(".")), "base64url").toString());
    return isRecord(header) ? copyOwn(header) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens what {@link sealJwe} made; `header` is what {@link readHeader} read of it, and true once this has opened it.
 * `undefined` for everything else: other algorithms, an extension that must be understood, compressed text, base64url
 * that is spelt in another way, or bytes that this key has not sealed.
 */
export function openJwe(sealed: string, header: JweHeader, key: KeyObject): Buffer | undefined {
  const [head = "", ...parts] = sealed.split(".");
  if (parts.length !== 4 || !isPlain(head, header)) return undefined;
  const [wrappedKey, iv, text, tag] = parts;
  const contentKey = decrypt(key, [header["iv"], wrappedKey, header["tag"]], unbound);
  if (contentKey?.length !== keyLength) return undefined;
  return decrypt(takeKey(contentKey), [iv, text, tag], toBound(head));
}

/** Whether the header is spelt in the one way, and asks for nothing but these algorithms. */
function isPlain(head: string, header: JweHeader): boolean {
  const bytes = decodeBase64url(head);
  return (
    bytes !== undefined &&
    isUtf8(bytes) &&
    header["alg"] === alg &&
    header["enc"] === enc &&
    !("crit" in header) &&
    !("zip" in header)
  );
}

/** Leaves nothing in `bytes`. Node takes five times as long for a cipher whose key is bytes. */
function takeKey(bytes: Buffer): KeyObject {
  const key = nodeCrypto().createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Nonce, text and tag, as they are spelt. */
type Spelt = readonly [iv: unknown, text: unknown, tag: unknown];

function decrypt(key: KeyObject, spelt: Spelt, bound: Uint8Array): Buffer | undefined {
  const [iv, text, tag] = spelt.map((part) => decodeBase64url(part));
  if (iv === undefined || text === undefined || tag === undefined) return undefined;
  return decryptGcm(key, { iv, text, tag }, bound);
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

function toBound(head: string): Buffer {
  return Buffer.from(head, "latin1");
}
