import { isSendableAccount, type KeyAccount, toKeyAccount } from "../key-account.ts";
import { explainUnopened, type UnopenedReason } from "../keyring/explain-unopened.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { Secret } from "../secret.ts";
import { defaultKeyName, type KeySnapshot, type SealedKey } from "../store/sealed-key.ts";
import type { Moment } from "./moment.ts";

/** An organisation's snapshot in a worker's memory: its keys opened. */
export interface OpenedSnapshot {
  readonly orgId: string;
  readonly incarnation: string;
  /** The worker's own count of flushes when the read began. See `History.generation`. */
  readonly generation: number;
  /** The change number that it is known to be true for; raised when the fence map is compacted. */
  asOf: number;
  /** The change id of the log row `asOf`. */
  changeId: string;
  /** Taken before the read was sent: its own lease begins here. `undefined` for one that another worker has read. */
  readonly readAt: Moment | undefined;
  readonly keys: Map<string, SnapshotKey>;
  /** What was made of it last, for who knows what that is: forgotten with the snapshot, and always a property of its own. */
  made: object | undefined;
}

/** A stored key in memory. One that did not open stays sealed and is tried again by every resolve that needs it. */
export type SnapshotKey = OpenedKey | UnopenedKey;

export interface OpenedKey {
  readonly secretId: string;
  readonly region: string | null;
  readonly account: KeyAccount | null;
  readonly secret: Secret;
}

export interface UnopenedKey {
  readonly secretId: string;
  readonly region: string | null;
  readonly account: KeyAccount | null;
  readonly reason: UnopenedReason;
  readonly sealedKey: SealedKey;
}

export function isUnopened(key: SnapshotKey): key is UnopenedKey {
  return Object.hasOwn(key, "reason");
}

/** Opens every key of a snapshot that has the documented name. Never rejects: a key that does not open says why. */
export async function openKeys(keyring: Keyring, snapshot: KeySnapshot): Promise<Map<string, SnapshotKey>> {
  const keys = snapshot.keys.filter(({ name }) => name === defaultKeyName);
  const opened = await Promise.all(keys.map((key) => openKey(keyring, snapshot.orgId, key)));
  return new Map(keys.map((key, index) => [key.provider, opened[index] as SnapshotKey]));
}

/** Tries again to open those of `providers` that did not open. */
export async function reopenKeys(
  keyring: Keyring,
  snapshot: OpenedSnapshot,
  providers: readonly string[],
): Promise<void> {
  await Promise.all(
    listUnopened(snapshot, providers).map(async ({ sealedKey }) => {
      snapshot.keys.set(sealedKey.provider, await openKey(keyring, snapshot.orgId, sealedKey));
    }),
  );
}

export function listUnopened(snapshot: OpenedSnapshot, providers: readonly string[]): UnopenedKey[] {
  const keys: UnopenedKey[] = [];
  for (const provider of providers) {
    const key = snapshot.keys.get(provider);
    if (key !== undefined && isUnopened(key)) keys.push(key);
  }
  return keys;
}

async function openKey(keyring: Keyring, orgId: string, sealedKey: SealedKey): Promise<SnapshotKey> {
  const { provider, secretId, region } = sealedKey;
  const account = toKeyAccount(sealedKey.account);
  const facts = { secretId, region, account };
  try {
    const secret = await keyring.open(sealedKey.sealed, { orgId, provider, ...facts });
    const isSendable = secret.isSendable() && isSendableAccount(account);
    return isSendable ? { ...facts, secret } : { ...facts, reason: "undecryptable", sealedKey };
  } catch (error) {
    return { ...facts, reason: explainUnopened(error), sealedKey };
  }
}
