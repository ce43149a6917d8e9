import type { KeyAccount } from "../key-account.ts";
import type { Secret } from "../secret.ts";
import { SlotEgress } from "./egress/egress.ts";
import { supplyOf } from "./egress/key-supply.ts";
import { createPlaceholder } from "./egress/placeholder.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Credential, Provider } from "./provider.ts";

interface CheckedKey extends Endpoint {
  readonly key: Secret;
  readonly region: string | null;
  readonly account: KeyAccount | null;
}

/** A key that is to be checked: it serves the requests of its egress, and nothing else ever does. */
export function createCredential(provider: Provider, checked: CheckedKey, requestTimeoutMs: number): Credential {
  const supply = supplyOf({ ...checked, source: "byok", secretId: null });
  const egress = new SlotEgress({
    vendor: provider,
    supply,
    placeholder: createPlaceholder(),
    requestTimeoutMs,
    scrubs: false,
    ws: undefined,
  });
  return Object.assign(egress, checked);
}
