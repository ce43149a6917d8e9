import { ByokError } from "../errors.ts";
import { ownProperty } from "../own-property.ts";
import { maxKeyLength, Secret } from "../secret.ts";
import { findNobodysKey } from "./nobodys-key.ts";
import type { Provider } from "./provider.ts";

/** For `refusedPrefixes`: keys that people often have at hand, of vendors that no built-in provider is. */
export const foreignKeys = {
  "sk-ant-": "it is a key of Anthropic",
  sk_live_: "it is a key of Stripe",
  sk_test_: "it is a key of Stripe",
  "SG.": "it is a key of SendGrid",
  ghp_: "it is a token of GitHub",
  github_pat_: "it is a token of GitHub",
  "xoxb-": "it is a token of Slack",
} as const;

/** The same, of vendors that speak OpenAI's protocol: a gateway in the place of OpenAI or xAI may well take theirs. */
export const foreignModelKeys = {
  gsk_: "it is a key of Groq",
  AIza: "it is a key of Google",
  hf_: "it is a token of Hugging Face",
  "sk-or-": "it is a key of OpenRouter",
} as const;

/**
 * Takes a text as a key of `provider`: trimmed, not empty, at most 512 printable ASCII characters. Formats are no
 * contract of any provider, so nothing else is checked but what is unmistakably wrong: what no vendor issues (a mask, a
 * placeholder, an assignment), another provider's prefix, and the prefixes that the provider refuses.
 *
 * @throws ByokError `key_malformed`. The message never holds the key.
 */
export function parseKey(provider: Provider, text: string, others: readonly Provider[], orgId?: string): Secret {
  const malformed = (reason: string): ByokError => {
    const message = `This cannot be a key of "${provider.id}": ${reason}. Copy the key again from the provider's console.`;
    return new ByokError("key_malformed", message, { orgId, provider: provider.id });
  };
  const given = typeof text === "string" ? text : "";
  const trimmed = given.trim();
  if (trimmed === "") throw malformed("it is empty");
  if (trimmed.length > maxKeyLength) throw malformed(`it is longer than ${maxKeyLength} characters`);
  // A byte order mark counts as white space.
  const seen = findNobodysKey(given.replace(/^[^\S\ufeff]+|[^\S\ufeff]+$/gu, ""));
  if (seen !== undefined) throw malformed(seen);
  const key = new Secret(trimmed);
  if (!key.isSendable()) throw malformed("it has characters other than printable ASCII");
  for (const [prefix, reason] of Object.entries(ownProperty(provider, "refusedPrefixes") ?? {})) {
    if (trimmed.startsWith(prefix)) throw malformed(reason);
  }
  for (const other of others) {
    if (other.id !== provider.id && ownProperty(other, "keyPrefixes")?.some((prefix) => trimmed.startsWith(prefix))) {
      throw malformed(`it looks like a key of "${other.id}"`);
    }
  }
  return key;
}
