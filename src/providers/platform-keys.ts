import { ByokError, isByokError } from "../errors.ts";
import { ownProperty } from "../own-property.ts";
import { type BuiltinProvider, builtinProviders } from "./builtin.ts";
import { parseKey } from "./key-format.ts";
import type { Provider } from "./provider.ts";

/**
 * The platform's keys from OPENAI_API_KEY, DEEPGRAM_API_KEY, ELEVENLABS_API_KEY (or ELEVEN_API_KEY), XAI_API_KEY and
 * RESEND_API_KEY: each provider's `keyVariable`. The only place where byokit reads a key from the environment, and only
 * because the caller says so. Blank is absent.
 *
 * @throws ByokError `key_malformed` for a text that cannot be a key of any provider; names the variable.
 *
 * @example
 * ```ts
 * import { createResolver, platformKeysFromEnv } from "byokit";
 *
 * const worker = createResolver({ store, keyring, platformKeys: platformKeysFromEnv() });
 * ```
 */
export function platformKeysFromEnv(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Partial<Record<BuiltinProvider["id"], string>> {
  const keys: Partial<Record<BuiltinProvider["id"], string>> = {};
  for (const provider of builtinProviders) {
    const { id, keyVariable } = provider;
    const names = [keyVariable, ...(ownProperty(provider, "otherKeyVariables") ?? [])].filter(
      (one) => one !== undefined,
    );
    const name = names.find((one) => ownProperty(env, one)?.trim());
    const key = name === undefined ? undefined : ownProperty(env, name);
    if (name === undefined || key === undefined) continue;
    assertVariable(provider, name, key);
    keys[id] = key.trim();
  }
  return keys;
}

function assertVariable(provider: Provider, name: string, key: string): void {
  try {
    parseKey(provider, key, builtinProviders);
  } catch (error) {
    if (!isByokError(error)) throw error;
    throw new ByokError("key_malformed", `${name}: ${error.message}`, { provider: provider.id });
  }
}
