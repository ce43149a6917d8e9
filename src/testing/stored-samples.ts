import { randomUUID } from "node:crypto";
import type { KeyAccount } from "../key-account.ts";
import type { NewKey, NotedCheck, NotedUse, StoreChange } from "../store/key-change.ts";
import type { KeyStore } from "../store/key-store.ts";
import { defaultKeyName, type KeyRef, type KeySnapshot, type StoredReference } from "../store/sealed-key.ts";

/** What a key of a contract test works for. */
export const account: KeyAccount = { organization: "org-4711", project: "proj_0815" };

/** A key as a contract test stores it; sealed text and secret id are new every time. */
export function keyOf(orgId: string, provider = "openai", sealed: string = randomUUID()): NewKey {
  const facts = { region: null, account: null, kid: "kek-1", hint: null, actor: null, verdict: "skipped" } as const;
  return { ...refOf(orgId, provider), secretId: randomUUID(), sealed, place: null, ...facts };
}

export function checkOf(
  { orgId, provider, name, secretId }: NewKey,
  verdict: NotedCheck["verdict"],
  actor: string | null = null,
): NotedCheck {
  return { orgId, provider, name, secretId, verdict, actor };
}

export function useOf({ orgId, provider, name, secretId }: NewKey, verdict: NotedUse["verdict"]): NotedUse {
  return { orgId, provider, name, secretId, verdict };
}

export function refOf(orgId: string, provider = "openai", name: string = defaultKeyName): KeyRef {
  return { orgId, provider, name };
}

/** Stores a key that no other change overtakes. */
export async function put(store: KeyStore, key: NewKey): Promise<StoreChange> {
  const change = await store.put(key);
  if (change === undefined) throw new Error("The store refused a key that no other change had overtaken.");
  return change;
}

/** Takes the newest place of one key. */
export async function takePlace(store: KeyStore, ref: KeyRef, place: string): Promise<StoredReference | null> {
  const [stored] = await store.takePlaces([ref], place);
  if (stored === undefined) throw new Error("The store left a reference out.");
  return stored;
}

/** One organisation's snapshot. */
export async function one(store: KeyStore, orgId: string): Promise<KeySnapshot> {
  const [snapshot] = await store.snapshots([orgId]);
  if (snapshot === undefined) throw new Error("The store left an organisation out.");
  return snapshot;
}
