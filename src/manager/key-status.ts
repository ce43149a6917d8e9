import { isByokError } from "../errors.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { KeyRecord, Verdict } from "../store/key-store.ts";

/**
 * How a stored key stands.
 *
 * - `ok`: its provider took it when it was last asked.
 * - `restricted`: its provider took it, but it lacks some scope.
 * - `rejected`: its provider called it invalid when it was last asked. Calls still run on it, and fail there.
 * - `needs_reentry`: it does not open. Calls fail until the organisation enters it again.
 * - `unchecked`: its provider has never said anything of it.
 */
export type KeyStatus = "ok" | "restricted" | "rejected" | "needs_reentry" | "unchecked";

const statuses: Readonly<Record<Verdict, KeyStatus>> = {
  passed: "ok",
  restricted: "restricted",
  invalid: "rejected",
  unreachable: "unchecked",
  skipped: "unchecked",
};

export function toStatus(verdict: Verdict): KeyStatus {
  return statuses[verdict];
}

/** Never rejects, so that one key that does not open spoils nothing else. A key service that is down is no verdict. */
export async function readStatus(keyring: Keyring, orgId: string, record: KeyRecord): Promise<KeyStatus> {
  const { provider, secretId, region, sealed, verdict } = record;
  try {
    await keyring.open(sealed, { orgId, provider, secretId, region });
  } catch (error) {
    const isLost = isByokError(error) && (error.code === "key_undecryptable" || error.code === "keyring_outdated");
    if (isLost) return "needs_reentry";
  }
  return toStatus(verdict);
}
