import { isUnopened, type OpenedSnapshot } from "../coherence/opened-snapshot.ts";
import type { ChosenSlot } from "./chosen-slot.ts";

/** Whether the keyring may open the slot's key at another time. */
export function mayOpen({ keys }: OpenedSnapshot, { provider }: ChosenSlot): boolean {
  const key = keys.get(provider.id);
  return key !== undefined && isUnopened(key) && key.reason !== "undecryptable";
}

/** Whether a call has opened before what the keyring does not open now: a secret id names one key for ever. */
export function isStillOpen(snapshot: OpenedSnapshot, current: ChosenSlot): boolean {
  const { serving, provider } = current;
  const key = snapshot.keys.get(provider.id);
  return mayOpen(snapshot, current) && serving.secretId === key?.secretId && serving.region === key.region;
}
