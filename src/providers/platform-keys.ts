import type { BuiltinProvider } from "./builtin.ts";

const variables: readonly (readonly [BuiltinProvider["id"], string])[] = [
  ["openai", "OPENAI_API_KEY"],
  ["deepgram", "DEEPGRAM_API_KEY"],
  ["elevenlabs", "ELEVENLABS_API_KEY"],
  ["xai", "XAI_API_KEY"],
  ["resend", "RESEND_API_KEY"],
];

/**
 * The platform's keys from OPENAI_API_KEY, DEEPGRAM_API_KEY, ELEVENLABS_API_KEY, XAI_API_KEY and RESEND_API_KEY. The
 * only place where byokit reads a key from the environment, and only because the caller says so. Blank is absent.
 */
export function platformKeysFromEnv(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Partial<Record<BuiltinProvider["id"], string>> {
  const keys: Partial<Record<BuiltinProvider["id"], string>> = {};
  for (const [id, variable] of variables) {
    const key = env[variable]?.trim();
    if (key) keys[id] = key;
  }
  return keys;
}
