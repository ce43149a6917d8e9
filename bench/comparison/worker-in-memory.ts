import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "byokit";

export const orgIds: readonly string[] = Array.from({ length: 1_000 }, (_, at) => `org-${at}`);
export const threeSlots = {
  llm_config: { provider: "openai" },
  stt_config: { provider: "deepgram" },
  tts_config: { provider: "elevenlabs" },
} as const;

/** A worker that has three keys of each of a thousand organisations in its memory. */
export async function workerInMemory() {
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const providers = ["openai", "deepgram", "elevenlabs"];
  await createKeyManager({ store, keyring, verify: "off" }).setMany(
    orgIds.flatMap((orgId) =>
      providers.map((provider) => ({ orgId, provider, apiKey: `key-of-${provider}-${orgId}` })),
    ),
  );
  const resolver = createResolver({ store, keyring });
  await resolver.ready();
  for (const orgId of orgIds) await resolver.resolve(orgId, threeSlots);
  return resolver;
}

/** One organisation after the other, again and again. */
export function takingTurns(): () => string {
  let turn = 0;
  return () => {
    turn = turn === orgIds.length - 1 ? 0 : turn + 1;
    return orgIds[turn] ?? "";
  };
}
