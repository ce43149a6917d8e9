import { explainUnopened, type UnopenedReason } from "../keyring/explain-unopened.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { Verdict } from "../store/key-change.ts";
import type { KeyRecord } from "../store/key-record.ts";
import { openStoredKey } from "./stored-key.ts";

/**
 * How a stored key stands.
 *
 * - `ok`: its provider took it when it was last asked.
 * - `restricted`: its provider took it, but it lacks some scope.
 * - `rejected`: its provider called it invalid, when it was last asked or as a call used it. Calls still run on it, and
 *   fail there, unless `fallback.rejected` says otherwise.
 * - `exhausted`: its account has no more to spend, as a call found out. Calls are served as `fallback.exhausted` says.
 * - `needs_reentry`: it does not open. Calls fail until the organisation enters it again. Never said of a key that only
 *   this process cannot open: one whose keyring is outdated, or a key service that is down.
 * - `unchecked`: its provider has never said anything of it.
 */
export type KeyStatus = "ok" | "restricted" | "rejected" | "exhausted" | "needs_reentry" | "unchecked";

const statuses: Readonly<Record<Verdict, KeyStatus>> = {
  passed: "ok",
  restricted: "restricted",
  invalid: "rejected",
  exhausted: "exhausted",
  unreachable: "unchecked",
  skipped: "unchecked",
};

export function toStatus(verdict: Verdict): KeyStatus {
  return statuses[verdict];
}

/**
 * Why a stored key does not open; `null` where it does. Never rejects, so that one key that does not open spoils nothing
 * else.
 */
export async function findUnopened(keyring: Keyring, orgId: string, record: KeyRecord): Promise<UnopenedReason | null> {
  try {
    await openStoredKey(keyring, orgId, record);
    return null;
  } catch (error) {
    return explainUnopened(error);
  }
}

/** What a customer is told: a key that this process cannot open for a reason of its own stands as it stood. */
export function chooseStatus(verdict: Verdict, unopened: UnopenedReason | null): KeyStatus {
  return unopened === "undecryptable" ? "needs_reentry" : toStatus(verdict);
}
