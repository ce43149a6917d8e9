import { ByokError, isByokError } from "../errors.ts";
import type { EncryptionContext, Keyring, SealedText } from "../keyring/keyring.ts";
import type { Secret } from "../secret.ts";
import type { KeyRecord } from "../store/key-record.ts";

/** @throws ByokError what the keyring says of the key; `keyring_unavailable` when it says nothing. */
export async function openStoredKey(keyring: Keyring, orgId: string, record: KeyRecord): Promise<Secret> {
  const { provider, secretId, region, account, sealed } = record;
  return await askKeyring(orgId, async () => {
    const key = await keyring.open(sealed, { orgId, provider, secretId, region, account });
    if (typeof key?.reveal !== "function") throw new TypeError("A keyring opens to a Secret.");
    return key;
  });
}

/** @throws ByokError `key_malformed` for a key too long to be sealed; `keyring_unavailable`. */
export async function sealKey(keyring: Keyring, key: Secret, context: EncryptionContext): Promise<SealedText> {
  return await askKeyring(context.orgId, () => keyring.seal(key, context));
}

/** A keyring of the platform's own may fail in ways that are no verdict on a key. */
async function askKeyring<T>(orgId: string, ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isByokError(error)) throw error;
    const message = "The keyring did not answer. Check the key service behind it, then try again.";
    throw new ByokError("keyring_unavailable", message, { orgId });
  }
}
