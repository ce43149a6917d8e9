import { batchContract } from "./batch-contract.ts";
import { changeLogContract } from "./change-log-contract.ts";
import { keyContract } from "./key-contract.ts";
import type { KeyStoreFaults, OpenedKeyStore, Test } from "./opened-key-store.ts";
import { placeContract } from "./place-contract.ts";
import { useContract } from "./use-contract.ts";

/** What every `KeyStore` owes, as tests for any runner. One without `noteUse` owes nothing of it. */
export function keyStoreContract<Opened extends OpenedKeyStore>(
  test: Test,
  open: () => Promise<Opened>,
  faults: KeyStoreFaults<Opened> = {},
): void {
  const migrated = async (): Promise<Opened> => {
    const opened = await open();
    await opened.store.migrate();
    return opened;
  };
  keyContract(test, open, migrated);
  placeContract(test, migrated);
  batchContract(test, migrated);
  useContract(test, open, migrated);
  changeLogContract(test, migrated, faults);
}
