import { builtinProviders } from "../../src/providers/builtin.ts";
import { requestWays } from "./request-ways.ts";
import { socketWays } from "./socket-ways.ts";
import type { Way } from "./way.ts";

/** Every way of every vendor, in the order of the table. */
export const ways: readonly Way[] = [...requestWays, ...socketWays];

/** Their providers' keys may have a region. */
export const isRegional = ({ provider }: Way): boolean => ["openai", "deepgram", "elevenlabs"].includes(provider);

/** Imports every SDK, which takes seconds, so that no call waits for one. */
export async function loadSdks(): Promise<void> {
  for (const { load } of builtinProviders) await load?.();
}
