import { isRecord, ownProperty } from "./own-property.ts";

/**
 * The organisation and the project that a key works for, in its provider's own ids. For keys that can work for several:
 * each request shows them beside the key, in headers that the provider declares.
 */
export interface KeyAccount {
  readonly organization: string | null;
  readonly project: string | null;
}

export type AccountField = keyof KeyAccount;

/** A {@link KeyAccount} as it is asked for: at least one field; what is absent or `null` is none. */
export type NamedAccount = { readonly [Field in AccountField]?: string | null | undefined };

export const accountFields: readonly AccountField[] = ["organization", "project"];

/** An id that can travel in a header, and in no way ends it: visible ASCII. */
export const accountId: RegExp = /^[\x21-\x7e]{1,128}$/;

export function isAccountField(name: string): name is AccountField {
  return accountFields.some((field) => field === name);
}

export function isNamedAccount(value: unknown): value is NamedAccount {
  if (!isRecord(value)) return false;
  const given = Object.entries(value).filter(([, id]) => id !== undefined && id !== null);
  return (
    given.length > 0 &&
    given.every(([name, id]) => isAccountField(name) && accountId.test(typeof id === "string" ? id : ""))
  );
}

/** A copy of its own; `null` where no field has an id. */
export function toKeyAccount(named: NamedAccount | null | undefined): KeyAccount | null {
  if (named === null || named === undefined) return null;
  const organization = ownProperty(named, "organization") ?? null;
  const project = ownProperty(named, "project") ?? null;
  return organization === null && project === null ? null : { organization, project };
}

/** Whether requests can show it. What a database holds may have been written there by somebody else. */
export function isSendableAccount(account: KeyAccount | null): boolean {
  return account === null || isNamedAccount(account);
}
