import type { OpenAIRealtimeWS } from "openai/realtime/ws";
import { importOwn } from "../../explain-import.ts";
import type { Egress } from "../egress/egress.ts";
import type { RealtimeSession } from "../provider.ts";

/** What the two providers that speak OpenAI's protocol share. Imported when it is first needed: it would slow down every start. */
export async function loadProtocol(provider: string): Promise<unknown> {
  const load = () => Promise.all([import("./openai-client.ts"), import("./openai-realtime.ts")]);
  const [{ loadOpenAI }] = await importOwn(load);
  return await loadOpenAI(provider);
}

/** See `openRealtime`. */
export async function openSession(
  provider: string,
  egress: Egress,
  loaded: unknown,
  session: RealtimeSession,
): Promise<OpenAIRealtimeWS> {
  const { openRealtime } = await import("./openai-realtime.ts");
  return await openRealtime(provider, egress, loaded, session);
}
