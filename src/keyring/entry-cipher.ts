import { decryptGcm, encryptGcm, ivLength, tagLength } from "./aes-gcm.ts";
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

/** AES-256-GCM. One byte of version, the kid with its length in front, the nonce, the tag, the text. */
export function createEntryCipher({ primary, primaryKey, keys }: Ring): EntryCipher {
  const head = encodeHead(primary);
  return {
    seal(plain, bound) {
      const { iv, tag, text } = encryptGcm(primaryKey, plain, Buffer.concat([head, bound]));
      return Buffer.concat([head, iv, tag, text]);
    },

    open(sealed, bound) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const kidEnd = 2 + (bytes[1] ?? 0);
      if (bytes[0] !== version || bytes.length < kidEnd + ivLength + tagLength) return undefined;
      const key = keys.get(bytes.toString("latin1", 2, kidEnd));
      if (key === undefined) return "unknown_kid";
      const tagAt = kidEnd + ivLength;
      const textAt = tagAt + tagLength;
      const given = {
        iv: bytes.subarray(kidEnd, tagAt),
        tag: bytes.subarray(tagAt, textAt),
        text: bytes.subarray(textAt),
      };
      return decryptGcm(key, given, Buffer.concat([bytes.subarray(0, kidEnd), bound]));
    },
  };
}

function encodeHead(kid: string): Buffer {
  return Buffer.concat([Buffer.from([version, kid.length]), Buffer.from(kid, "latin1")]);
}
