/** Compiled by `npm run types`, never run: each line that must not compile says so. */
import type { DeepgramClient } from "@deepgram/sdk";
import type { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import type OpenAI from "openai";
import type { OpenAIRealtimeWS } from "openai/realtime/ws";
import pg from "pg";
import type { Resend } from "resend";
import { createHandler, type Principal } from "../src/http/index.ts";
import {
  type AgentConfig,
  type BuiltinProvider,
  builtinProviders,
  createKeyManager,
  createResolver,
  defineProvider,
  type Keyring,
  type KeyStore,
  type PostgresPool,
  type Resolution,
  type ResolvedSlot,
  withCatalogue,
  xai,
} from "../src/index.ts";
import { postgresStore } from "../src/store/postgres/postgres-store.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Proof extends true>(): void {}

declare const store: KeyStore;
declare const keyring: Keyring;
declare const wide: AgentConfig;
const resolver = createResolver({ store, keyring });

const inline = await resolver.resolve("org", {
  name: "Front desk",
  first_message: "Hello",
  llm_config: { provider: "openai", model: "gpt-9", temperature: 0.2 },
  tts_config: { provider: "elevenlabs" },
});
is<Equal<typeof inline.llm.client, OpenAI>>();
is<Equal<typeof inline.tts.client, ElevenLabsClient>>();
is<Equal<typeof inline.llm.provider, "openai">>();
// @ts-expect-error a slot that the agent does not name
inline.stt;
// @ts-expect-error an llm slot opens no realtime socket
inline.llm.connect();

const literal = { llm_config: { provider: "openai" } } as const satisfies AgentConfig;
const fromConstant = await resolver.resolve("org", literal);
is<Equal<typeof fromConstant.llm.client, OpenAI>>();

const loose = { llm_config: { provider: "openai" }, stt_config: { provider: "deepgram" } };
const fromLoose = await resolver.resolve("org", loose);
is<Equal<typeof fromLoose.llm.provider, "openai" | "xai">>();
// @ts-expect-error not named
fromLoose.tts;

const voice = await resolver.resolve("org", { realtime_config: { provider: "xai" } });
is<Equal<Awaited<ReturnType<typeof voice.realtime.connect>>, OpenAIRealtimeWS>>();

const fromWide = await resolver.resolve("org", wide);
// @ts-expect-error the agent may not name it
fromWide.stt.client;
if (fromWide.stt) {
  switch (fromWide.stt.provider) {
    case "deepgram":
      is<Equal<typeof fromWide.stt.client, DeepgramClient>>();
      break;
    case "elevenlabs":
      is<Equal<typeof fromWide.stt.client, ElevenLabsClient>>();
      break;
    default: {
      const none: never = fromWide.stt;
      void none;
    }
  }
}
// @ts-expect-error openai serves no stt
if (fromWide.stt?.provider === "openai") void 0;
const { llm } = fromWide;
if (llm?.source === "byok") is<Equal<typeof llm.secretId, string>>();
if (llm?.source === "platform") is<Equal<typeof llm.secretId, null>>();

interface AgentRow {
  id: string;
  llm_config: { provider: "openai" | "xai"; model: string };
  tts_config?: { provider: string } | null;
}
declare const row: AgentRow;
const fromRow = await resolver.resolve("org", row);
is<Equal<typeof fromRow.llm.provider, "openai" | "xai">>();
const ttsProvider: string | undefined = fromRow.tts?.provider;
void ttsProvider;
// @ts-expect-error a null slot is undefined
fromRow.tts.client;

class Cartesia {
  speak(): string {
    return "";
  }
}
const cartesia = defineProvider({
  id: "cartesia",
  name: "Cartesia",
  category: "tts",
  docsUrl: "https://docs.cartesia.ai",
  serves: ["tts"],
  endpoint: { baseUrl: "https://api.cartesia.ai", websocketUrl: "wss://api.cartesia.ai" },
  models: [{ id: "sonic", name: "Sonic", default: true, slot: "tts" }],
  connect: () => new Cartesia(),
});
const own = createResolver({
  store,
  keyring,
  providers: [...builtinProviders, cartesia],
  platformKeys: { cartesia: "k" },
});
const spoken = await own.resolve("org", { tts_config: { provider: "cartesia" } });
is<Equal<typeof spoken.tts.client, Cartesia>>();
const spokenWide = await own.resolve("org", wide);
is<Equal<NonNullable<typeof spokenWide.tts>["provider"], "deepgram" | "elevenlabs" | "cartesia">>();
createResolver({
  store,
  keyring,
  providers: [withCatalogue(xai, { models: [] })],
  endpoints: { xai: "https://proxy.example" },
});
createResolver({
  store,
  keyring,
  platformKeys: { openai: process.env["OPENAI_API_KEY"] },
  endpoints: { openai: undefined },
  cache: undefined,
  fallback: { absent: undefined },
  serveStaleMs: undefined,
  onEvent: async () => {},
});
createKeyManager({ store, keyring, cache: undefined, checkLimits: { atOnce: undefined }, onEvent: undefined });
// @ts-expect-error no such provider
createResolver({ store, keyring, platformKeys: { nope: "k" } });

/** What code writes that is handed its resolver. */
declare const handed: ReturnType<typeof createResolver>;
const usual = await handed.resolve("org", { llm_config: { provider: "openai" } });
is<Equal<typeof usual.llm.client, OpenAI>>();

const some = createResolver({ store, keyring, clients: ["openai"] });
const bare = await some.resolve("org", { llm_config: { provider: "openai" }, tts_config: { provider: "elevenlabs" } });
is<Equal<typeof bare.llm.client, OpenAI>>();
is<Equal<typeof bare.tts.fetch, typeof fetch>>();
// @ts-expect-error left out
bare.tts.client;
const none = await createResolver({ store, keyring, clients: false }).client("org", "resend");
// @ts-expect-error left out
none.client;
is<Equal<typeof none.placeholder, string>>();
// @ts-expect-error no such slot
defineProvider({ ...cartesia, serves: ["stttt"] });

declare const session: Principal | undefined;
declare const user: { readonly org: string; readonly name: string | undefined };
const manager = createKeyManager({ store, keyring });
createHandler({ manager, authenticate: async () => session, basePath: undefined, onError: async () => {} });
createHandler({ manager, authenticate: () => null });
createHandler({ manager, authenticate: async () => ({ orgId: user.org, actor: user.name, canWrite: true }) });
await manager.set("org", { provider: "openai", apiKey: "k", region: undefined, actor: user.name, signal: undefined });
await resolver.resolve("org", wide, { signal: undefined, atLeast: undefined });
const pool: PostgresPool = new pg.Pool();
postgresStore({ pool, schema: process.env["BYOK_SCHEMA"] });

const mail = await resolver.client("org", "resend");
is<Equal<typeof mail.client, Resend>>();
is<Equal<typeof mail.slot, "email">>();
// @ts-expect-error no such provider
await resolver.client("org", "nope");

function label(slot: ResolvedSlot<BuiltinProvider>): string {
  return `${slot.slot}:${slot.provider}`;
}
label(inline.llm);
label(mail);

async function turn(call: Resolution<AgentConfig>): Promise<string | undefined> {
  return call.llm?.model;
}
await turn(fromWide);

async function generic<const A extends AgentConfig>(agent: A): Promise<Resolution<A>> {
  return await resolver.resolve("org", agent);
}
is<Equal<Awaited<ReturnType<typeof generic<{ llm_config: { provider: "openai" } }>>>["llm"]["client"], OpenAI>>();

// A literal id that cannot serve its slot is `never`: refusing it at the call would refuse generic callers too.
const unserved = await resolver.resolve("org", { llm_config: { provider: "deepgram" } });
is<Equal<typeof unserved.llm, never>>();
