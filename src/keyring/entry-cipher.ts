import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";
import type { Ring } from "./keyring-json.ts";

/** Seals what a shared cache keeps. Its keys are the keyring's cache ring, which never seals a key at rest. */
export interface EntryCipher {
  /** Seals under the ring's primary, bound to `bound`. */
  seal(plain: Uint8Array, bound: Uint8Array): Buffer;

  /**
   * Opens what {@link EntryCipher.seal} made for the same `bound`. `"unknown_kid"`: it is sealed under a key that this
   * ring does not have, perhaps one of a newer rollout. `undefined`: it is nothing that this ring has sealed for `bound`.
   */
  open(sealed: Uint8Array, bound: Uint8Array): Buffer | "unknown_kid" | undefined;
}

const version = 1;
const ivLength = 12;
const tagLength = 16;
/** Node takes shorter tags unless it is told (Node 22 and 24, DEP0182). */
const options = { authTagLength: tagLength };

/** AES-256-GCM. One byte of version, the kid with its length in front, the nonce, the tag, the text. */
export function createEntryCipher({ primary, primaryKey, keys }: Ring): EntryCipher {
  const head = encodeHead(primary);
  return {
    seal(plain, bound) {
      const iv = randomBytes(ivLength);
      const cipher = createCipheriv("aes-256-gcm", primaryKey, iv, options).setAAD(Buffer.concat([head, bound]));
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([head, iv, cipher.getAuthTag(), text]);
    },

    open(sealed, bound) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const kidEnd = 2 + (bytes[1] ?? 0);
      if (bytes[0] !== version || bytes.length < kidEnd + ivLength + tagLength) return undefined;
      const key = keys.get(bytes.toString("latin1", 2, kidEnd));
      if (key === undefined) return "unknown_kid";
      return openText(key, bytes, kidEnd, bound);
    },
  };
}

function encodeHead(kid: string): Buffer {
  return Buffer.concat([Buffer.from([version, kid.length]), Buffer.from(kid, "latin1")]);
}

function openText(key: KeyObject, bytes: Buffer, kidEnd: number, bound: Uint8Array): Buffer | undefined {
  const tagAt = kidEnd + ivLength;
  const textAt = tagAt + tagLength;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(kidEnd, tagAt), options)
    .setAAD(Buffer.concat([bytes.subarray(0, kidEnd), bound]))
    .setAuthTag(bytes.subarray(tagAt, textAt));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]);
  } catch {
    return undefined;
  }
}
