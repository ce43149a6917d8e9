import type { KeyAccount } from "../key-account.ts";
import type { Secret } from "../secret.ts";
import type { EntryCipher } from "./entry-cipher.ts";

/** What a sealed key is bound to. A key opens only under exactly what it was sealed for. */
export interface EncryptionContext {
  readonly orgId: string;
  readonly provider: string;
  readonly secretId: string;
  readonly region: string | null;
  /** What the key works for. */
  readonly account: KeyAccount | null;
}

/**
 * The key-encryption keys. `createKeyring` makes one from local keys; implement this for a key service of your own.
 * Both methods may answer synchronously.
 */
export interface Keyring {
  /** Seals under the primary key, bound to `context`. */
  seal(key: Secret, context: EncryptionContext): SealedText | Promise<SealedText>;

  /**
   * Opens what {@link Keyring.seal} made.
   *
   * @throws ByokError `keyring_outdated` when it is sealed under a `kid` that this keyring does not have;
   * `key_undecryptable` when it does not open, or is bound to anything else than `context`. Neither has a `cause`.
   */
  open(sealed: string, context: EncryptionContext): Secret | Promise<Secret>;

  /** What seals the entries of a shared cache. Needed by a resolver that has one. */
  readonly entryCipher?: EntryCipher;
}

/** A sealed key and the `kid` that it is sealed under. */
export interface SealedText {
  readonly kid: string;
  readonly sealed: string;
}
