import { isByokError } from "../errors.ts";

/**
 * Why a stored key was not opened. `undecryptable`, which is also a key that opens to something that no client can send,
 * is its owner's to mend. The other two are the operator's: this process's keyring lacks its kid, or fails.
 */
export type UnopenedReason = "undecryptable" | "keyring_outdated" | "keyring_unavailable";

/** What a keyring says by what it throws. Only what it says of the key itself is put on the key. */
export function explainUnopened(error: unknown): UnopenedReason {
  if (!isByokError(error)) return "keyring_unavailable";
  if (error.code === "key_undecryptable") return "undecryptable";
  return error.code === "keyring_outdated" ? error.code : "keyring_unavailable";
}
