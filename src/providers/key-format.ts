import { ByokError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { Provider } from "./provider.ts";

/** The longest key that is taken, in characters. */
const maxLength = 512;

/**
 * Takes a text as a key of `provider`: trimmed, not empty, at most 512 printable ASCII characters. Formats are no
 * contract of any provider, so nothing else is checked but what is unmistakably wrong: another provider's prefix, and
 * the prefixes that the provider refuses.
 *
 * @throws ByokError `key_malformed`. The message never holds the key.
 */
export function checkKeyText(provider: Provider, text: string, others: readonly Provider[], orgId?: string): Secret {
  const malformed = (why: string): ByokError => {
    const message = `This cannot be a key of "${provider.id}": ${why}. Copy the key again from the provider's console.`;
    return new ByokError("key_malformed", message, { orgId, provider: provider.id });
  };
  const trimmed = typeof text === "string" ? text.trim() : "";
  if (trimmed === "") throw malformed("it is empty");
  if (trimmed.length > maxLength) throw malformed(`it is longer than ${maxLength} characters`);
  if (!/^[\x21-\x7e]+$/u.test(trimmed)) throw malformed("it has characters other than printable ASCII");
  for (const [prefix, why] of Object.entries(provider.refusedPrefixes ?? {})) {
    if (trimmed.startsWith(prefix)) throw malformed(why);
  }
  for (const other of others) {
    if (other.id !== provider.id && other.keyPrefixes?.some((prefix) => trimmed.startsWith(prefix))) {
      throw malformed(`it looks like a key of "${other.id}"`);
    }
  }
  return new Secret(trimmed);
}
