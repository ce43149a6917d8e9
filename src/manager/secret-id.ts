import type { Secret } from "../secret.ts";
import type { KeyRef, StoredReference } from "../store/sealed-key.ts";

/**
 * The secret id of a change that its caller repeats under one idempotency key: the same change has the same id, so that
 * the store knows its own success again. Another key, region, account or organisation under that idempotency key is another
 * change. The key cannot be guessed from the id without the idempotency key, which is kept nowhere.
 */
export function deriveSecretId(
  { orgId, provider, name }: KeyRef,
  { region, account }: Pick<StoredReference, "region" | "account">,
  key: Secret,
  idempotencyKey: string,
): string {
  const works = account === null ? [] : [account.organization, account.project];
  const hash = key.digest(idempotencyKey, JSON.stringify([orgId, provider, name, region, ...works]));
  // As a UUID of version 8, which RFC 9562 leaves to applications.
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${((Number.parseInt(hash.charAt(16), 16) & 3) | 8).toString(16)}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
}
