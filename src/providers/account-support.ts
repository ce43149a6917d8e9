import { type AccountField, accountFields, type KeyAccount } from "../key-account.ts";
import { ownProperty } from "../own-property.ts";
import type { Vendor } from "./egress/vendor.ts";

/** The fields of a key's account that a provider's requests can show. */
export function listAccountFields(vendor: Vendor): AccountField[] {
  const headers = ownProperty(vendor, "accountHeaders") ?? {};
  return accountFields.filter((field) => ownProperty(headers, field) !== undefined);
}

/** Whether requests show all of it: a key without a part of its account would work for somebody else's. */
export function supportsAccount(vendor: Vendor, account: KeyAccount | null): boolean {
  if (account === null) return true;
  const shown = listAccountFields(vendor);
  return accountFields.every((field) => account[field] === null || shown.includes(field));
}
