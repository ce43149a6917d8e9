import { ByokError, isByokError } from "../errors.ts";
import { isIdentifier, maxIdentifierLength } from "../identifier.ts";
import type { Provider } from "../providers/provider.ts";

/** @throws ByokError `options_invalid` unless `actor` can be stored. */
export function assertActor(orgId: string, actor: string | null): void {
  if (actor === null || isIdentifier(actor)) return;
  const message = `"actor" must be a string of 1 to ${maxIdentifierLength} characters without control characters. Pass who makes the change, or nothing.`;
  throw new ByokError("options_invalid", message, { orgId });
}

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

export function tooSlow(orgId: string, deadlineMs: number): ByokError {
  const message = `The call did not end within ${deadlineMs} ms. A change that it was to make may or may not be stored. Make the same call again.`;
  return new ByokError("deadline_exceeded", message, { orgId });
}

/** A key that is replaced again and again while its provider is asked. */
export function changing(orgId: string, provider: string): ByokError {
  const message = `The key of "${provider}" was replaced while its provider was asked. Ask again.`;
  return new ByokError("deadline_exceeded", message, { orgId, provider });
}

/** Whether keys are checked. @throws ByokError `options_invalid` for anything but the two words: a typo would switch checks off. */
export function isCheckingWith(verify: "reject-invalid" | "off" = "reject-invalid"): boolean {
  if (verify === "reject-invalid" || verify === "off") return verify === "reject-invalid";
  throw new ByokError("options_invalid", '"verify" must be "reject-invalid" or "off". Correct the option.');
}

/** What a keyring answers. A keyring of the platform's own may fail in ways that are no verdict on a key. */
export async function answering<T>(orgId: string, answer: T | Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (isByokError(error)) throw error;
    const message = "The keyring did not answer. Check the key service behind it, then try again.";
    throw new ByokError("keyring_unavailable", message, { orgId });
  }
}
