import { isByokError } from "../errors.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { Secret } from "../secret.ts";
import type { KeySnapshot, SealedKey } from "../store/key-store.ts";
import type { Moment } from "./moment.ts";

/** An organisation's snapshot as a worker holds it: its keys opened. */
export interface HeldSnapshot {
  readonly orgId: string;
  readonly incarnation: string;
  /** The worker's own count of flushes when the read began. See `History.generation`. */
  readonly generation: number;
  /** The change number that it is known to be true for; raised when the fence map is compacted. */
  snap: number;
  /** The mark of the log row `snap`. */
  mark: string;
  /** Taken before the read was sent: its own lease begins here. `undefined` for one that another worker has read. */
  readonly readAt: Moment | undefined;
  readonly keys: Map<string, HeldKey>;
}

/** A stored key in memory. One that did not open stays sealed and is tried again by every resolve that needs it. */
export type HeldKey = OpenedKey | UnopenedKey;

export interface OpenedKey {
  readonly secretId: string;
  readonly region: string | null;
  readonly secret: Secret;
}

export interface UnopenedKey {
  readonly secretId: string;
  readonly region: string | null;
  readonly trouble: OpenTrouble;
  readonly sealedKey: SealedKey;
}

/** `undecryptable` is also a key that opens to something that no client can send. */
export type OpenTrouble = "undecryptable" | "keyring_outdated";

/** Opens every key of a snapshot. Never rejects: a key that does not open says why. */
export async function openKeys(keyring: Keyring, snapshot: KeySnapshot): Promise<Map<string, HeldKey>> {
  const opened = await Promise.all(snapshot.keys.map((key) => openKey(keyring, snapshot.orgId, key)));
  return new Map(snapshot.keys.map((key, index) => [key.provider, opened[index] as HeldKey]));
}

/** Tries again to open those of `providers` that did not open. */
export async function reopenKeys(keyring: Keyring, held: HeldSnapshot, providers: readonly string[]): Promise<void> {
  await Promise.all(
    unopened(held, providers).map(async ({ sealedKey }) => {
      held.keys.set(sealedKey.provider, await openKey(keyring, held.orgId, sealedKey));
    }),
  );
}

export function unopened(held: HeldSnapshot, providers: readonly string[]): UnopenedKey[] {
  const keys: UnopenedKey[] = [];
  for (const provider of providers) {
    const key = held.keys.get(provider);
    if (key !== undefined && "trouble" in key) keys.push(key);
  }
  return keys;
}

async function openKey(keyring: Keyring, orgId: string, sealedKey: SealedKey): Promise<HeldKey> {
  const { provider, secretId, region } = sealedKey;
  try {
    const secret = await keyring.open(sealedKey.sealed, { orgId, provider, secretId, region });
    return secret.isSendable()
      ? { secretId, region, secret }
      : { secretId, region, trouble: "undecryptable", sealedKey };
  } catch (error) {
    const isOutdated = isByokError(error) && error.code === "keyring_outdated";
    return { secretId, region, trouble: isOutdated ? "keyring_outdated" : "undecryptable", sealedKey };
  }
}
