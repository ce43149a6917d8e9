import * as ws from "ws";
import { SlotEgress } from "../../src/providers/egress/egress.ts";
import { type KeySupply, type ServingKey, supplyOf } from "../../src/providers/egress/key-supply.ts";
import { createPlaceholder } from "../../src/providers/egress/placeholder.ts";
import type { Credential, Provider } from "../../src/providers/provider.ts";
import { Secret } from "../../src/secret.ts";

/** What serves, of a customer, at `baseUrl` and at its websocket twin. */
export function serving(key: string, baseUrl: string, secretId = key): ServingKey {
  const websocketUrl = baseUrl.replace(/^http/u, "ws");
  return { key: new Secret(key), region: null, account: null, baseUrl, websocketUrl, source: "byok", secretId };
}

/** A provider's way out on what `supply` says: a key that never changes, or a supply of the test's own. */
export function egressOf(
  provider: Provider,
  supply: ServingKey | KeySupply,
  requestTimeoutMs = 5_000,
  scrubs = true,
): SlotEgress {
  return new SlotEgress({
    scrubs,
    vendor: provider,
    supply: "peek" in supply ? supply : supplyOf(supply),
    placeholder: createPlaceholder(),
    requestTimeoutMs,
    ws,
  });
}

/** The same for a key that is checked. */
export function credentialOf(provider: Provider, key: string, baseUrl: string, requestTimeoutMs = 5_000): Credential {
  const egress = egressOf(provider, serving(key, baseUrl), requestTimeoutMs, false);
  return Object.assign(egress, { key: new Secret(key), region: null, account: null });
}
