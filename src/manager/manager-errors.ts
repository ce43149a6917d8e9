import { ByokError } from "../errors.ts";
import { listAccountFields } from "../providers/account-support.ts";
import type { Provider } from "../providers/provider.ts";
import type { KeyRef } from "../store/sealed-key.ts";

export function notConfigured(orgId: string, provider: string): ByokError {
  const message = `The organisation has no key of "${provider}". Store one first.`;
  return new ByokError("key_not_configured", message, { orgId, provider });
}

export function regionUnknown(orgId: string, provider: Provider): ByokError {
  const regions = Object.keys(provider.regions ?? {});
  const next = regions.length > 0 ? `Use one of: ${regions.join(", ")}.` : "It has none: leave the region out.";
  const message = `"${provider.id}" has no such region. ${next}`;
  return new ByokError("region_unknown", message, { orgId, provider: provider.id });
}

export function accountUnsupported(orgId: string, provider: Provider): ByokError {
  const fields = listAccountFields(provider);
  const next = fields.length > 0 ? `Name one of: ${fields.join(", ")}.` : "Its keys need none: leave the account out.";
  const message = `"${provider.id}" takes no such account. ${next}`;
  return new ByokError("account_unsupported", message, { orgId, provider: provider.id });
}

export function tooSlow(orgId: string | undefined, deadlineMs: number): ByokError {
  const message = `The call did not end within ${deadlineMs} ms. A change that it was to make may or may not be stored. Make the same call again.`;
  return new ByokError("deadline_exceeded", message, { orgId });
}

/** A check that was not made, because there were too many before it. */
export function checksLimited(orgId: string, provider: string, retryAfterMs: number): ByokError {
  const message = `Too many keys of "${provider}" are being checked. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`;
  return new ByokError("checks_limited", message, { orgId, provider, retryAfterMs });
}

/** A key that is replaced again and again while its provider is asked. */
export function changing(orgId: string, provider: string): ByokError {
  const message = `The key of "${provider}" was replaced while its provider was asked. Ask again.`;
  return new ByokError("deadline_exceeded", message, { orgId, provider });
}

/** A later change of the same key was asked for meanwhile: who asks last wins. */
export function keyChanged({ orgId, provider }: Pick<KeyRef, "orgId" | "provider">): ByokError {
  const message = `Another change of the key of "${provider}" was asked for meanwhile, and nothing was stored. Look at the key again, then send the change again if it is still wanted.`;
  return new ByokError("key_changed", message, { orgId, provider });
}

/** A row of an import behind one that the database did not take. */
export function notTried({ orgId, provider }: Pick<KeyRef, "orgId" | "provider">): ByokError {
  const message = "The row was not tried, because an earlier batch failed. Find out why, then send the row again.";
  return new ByokError("store_unavailable", message, { orgId, provider });
}
