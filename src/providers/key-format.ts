import { ByokError } from "../errors.ts";
import { maxKeyLength, Secret } from "../secret.ts";
import type { Provider } from "./provider.ts";

/** For `refusedPrefixes`: keys of a vendor that people often have at hand, and that no built-in provider is. */
export const anthropicKeys = { "sk-ant-": "it is a key of Anthropic" } as const;

/**
 * Takes a text as a key of `provider`: trimmed, not empty, at most 512 printable ASCII characters. Formats are no
 * contract of any provider, so nothing else is checked but what is unmistakably wrong: another provider's prefix, and
 * the prefixes that the provider refuses.
 *
 * @throws ByokError `key_malformed`. The message never holds the key.
 */
export function parseKey(provider: Provider, text: string, others: readonly Provider[], orgId?: string): Secret {
  const malformed = (reason: string): ByokError => {
    const message = `This cannot be a key of "${provider.id}": ${reason}. Copy the key again from the provider's console.`;
    return new ByokError("key_malformed", message, { orgId, provider: provider.id });
  };
  const trimmed = typeof text === "string" ? text.trim() : "";
  if (trimmed === "") throw malformed("it is empty");
  if (trimmed.length > maxKeyLength) throw malformed(`it is longer than ${maxKeyLength} characters`);
  const key = new Secret(trimmed);
  if (!key.isSendable()) throw malformed("it has characters other than printable ASCII");
  for (const [prefix, reason] of Object.entries(provider.refusedPrefixes ?? {})) {
    if (trimmed.startsWith(prefix)) throw malformed(reason);
  }
  for (const other of others) {
    if (other.id !== provider.id && other.keyPrefixes?.some((prefix) => trimmed.startsWith(prefix))) {
      throw malformed(`it looks like a key of "${other.id}"`);
    }
  }
  return key;
}
