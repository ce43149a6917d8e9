import { randomUUID } from "node:crypto";
import type { KeySnapshot, KeyStore, NewKey, NotedCheck } from "../store/key-store.ts";

/** A key as a contract test stores it; sealed text and secret id are new every time. */
export function keyOf(orgId: string, provider = "openai", sealed: string = randomUUID()): NewKey {
  const facts = { region: null, kid: "kek-1", hint: null, actor: null, verdict: "skipped" } as const;
  return { orgId, provider, secretId: randomUUID(), sealed, ...facts };
}

export function checkOf({ orgId, provider, secretId }: NewKey, verdict: NotedCheck["verdict"]): NotedCheck {
  return { orgId, provider, secretId, verdict };
}

/** One organisation's snapshot. */
export async function one(store: KeyStore, orgId: string): Promise<KeySnapshot> {
  const [snapshot] = await store.snapshots([orgId]);
  if (snapshot === undefined) throw new Error("The store left an organisation out.");
  return snapshot;
}
