import { type BuiltinProvider, builtinProviders } from "./builtin.ts";

/**
 * The platform's keys from OPENAI_API_KEY, DEEPGRAM_API_KEY, ELEVENLABS_API_KEY, XAI_API_KEY and RESEND_API_KEY: each
 * provider's `keyVariable`. The only place where byokit reads a key from the environment, and only because the caller
 * says so. Blank is absent.
 */
export function platformKeysFromEnv(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Partial<Record<BuiltinProvider["id"], string>> {
  const keys: Partial<Record<BuiltinProvider["id"], string>> = {};
  for (const { id, keyVariable } of builtinProviders) {
    const key = keyVariable === undefined ? undefined : env[keyVariable]?.trim();
    if (key) keys[id] = key;
  }
  return keys;
}
