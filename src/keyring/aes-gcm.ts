import type { CipherGCMOptions, KeyObject } from "node:crypto";
import { nodeCrypto } from "../node-crypto.ts";
import { copyOwn } from "../own-property.ts";

/** The bytes of a key, of a nonce, and of a tag. */
export const keyLength = 32;
export const ivLength = 12;
export const tagLength = 16;

/** Node takes shorter tags unless it is told (Node 22 and 24, DEP0182). Inherits nothing: Node reads an `encoding` as well. */
const options: CipherGCMOptions = copyOwn({ authTagLength: tagLength });

/** What AES-256-GCM makes of a text. */
export interface GcmText {
  readonly iv: Uint8Array;
  readonly text: Uint8Array;
  readonly tag: Uint8Array;
}

/** Encrypts under a fresh nonce, bound to `bound`. */
export function encryptGcm(key: KeyObject, plain: Uint8Array, bound: Uint8Array): GcmText {
  const iv = nodeCrypto().randomBytes(ivLength);
  const cipher = nodeCrypto().createCipheriv("aes-256-gcm", key, iv, options).setAAD(bound);
  const text = cipher.update(plain);
  cipher.final();
  return { iv, text, tag: cipher.getAuthTag() };
}

/** `undefined` when it is not what this key has encrypted for `bound`, or a part of it has another length. */
export function decryptGcm(key: KeyObject, given: GcmText, bound: Uint8Array): Buffer | undefined {
  if (given.iv.length !== ivLength) return undefined;
  try {
    const decipher = nodeCrypto()
      .createDecipheriv("aes-256-gcm", key, given.iv, options)
      .setAAD(bound)
      .setAuthTag(given.tag);
    const plain = decipher.update(given.text);
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}
