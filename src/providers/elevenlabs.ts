import type { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { importOptional } from "../import-optional.ts";
import type { Egress } from "./egress/egress.ts";
import type { Endpoint } from "./endpoint.ts";
import { probe } from "./http/probe.ts";
import { foreignKeys, foreignModelKeys } from "./key-format.ts";
import type { Model, Provider } from "./provider.ts";
import { elevenlabsRefusals } from "./refusals/elevenlabs-refusals.ts";

type ElevenLabsSdk = typeof import("@elevenlabs/elevenlabs-js");

const toEndpoint = (name: string): Endpoint => ({ baseUrl: `https://${name}`, websocketUrl: `wss://${name}` });
const listTts = (id: string, name: string): Model => ({ id, name, default: id === "eleven_flash_v2_5", slot: "tts" });
const listStt = (id: string, name: string): Model => ({ id, name, default: id === "scribe_v2", slot: "stt" });

/** ElevenLabs: `tts`, and `stt` with the Scribe models. Its websocket for text as it is written has no SDK: use `slot.credential`. */
export const elevenlabs: Provider<"elevenlabs", "tts" | "stt", ElevenLabsClient> = {
  id: "elevenlabs",
  name: "ElevenLabs",
  category: "tts",
  docsUrl: "https://elevenlabs.io/docs",
  serves: ["tts", "stt"],
  endpoint: toEndpoint("api.elevenlabs.io"),
  /** As the SDK's `ElevenLabsEnvironment` lists them (2.73). */
  regions: {
    us: toEndpoint("api.us.elevenlabs.io"),
    eu: toEndpoint("api.eu.residency.elevenlabs.io"),
    in: toEndpoint("api.in.residency.elevenlabs.io"),
    sg: toEndpoint("api.sg.residency.elevenlabs.io"),
  },
  keyHeader: { name: "xi-api-key" },
  headers: ["x-fern-*"],
  sdk: "@elevenlabs/elevenlabs-js@2",
  keyVariable: "ELEVENLABS_API_KEY",
  /** Its own keys begin with `sk_` where they begin with anything. */
  refusedPrefixes: { ...foreignKeys, ...foreignModelKeys, "sk-": "it looks like a key of OpenAI" },
  models: [
    listTts("eleven_flash_v2_5", "Flash v2.5"),
    listTts("eleven_v4", "Eleven v4"),
    listTts("eleven_v4_turbo", "Eleven v4 Turbo"),
    listTts("eleven_v3", "Eleven v3"),
    listTts("eleven_multilingual_v2", "Multilingual v2"),
    listTts("eleven_flash_v2", "Flash v2"),
    listStt("scribe_v2", "Scribe v2"),
    listStt("scribe_v2_turbo", "Scribe v2 Turbo"),
    listStt("scribe_realtime", "Scribe Realtime"),
  ],
  load: () => importOptional("elevenlabs", "@elevenlabs/elevenlabs-js@2", () => import("@elevenlabs/elevenlabs-js")),
  connect: (egress, loaded) => connectElevenLabs(egress, loaded as ElevenLabsSdk),
  check: (credential, signal) => probe(credential, signal, "/v1/models", elevenlabsRefusals),
};

function connectElevenLabs(egress: Egress, sdk: ElevenLabsSdk): ElevenLabsClient {
  const { placeholder, baseUrl, fetch, requestTimeoutMs } = egress;
  const client = new sdk.ElevenLabsClient({
    apiKey: placeholder,
    environment: baseUrl,
    baseUrl,
    fetch,
    timeoutInSeconds: (2 * requestTimeoutMs) / 1_000,
    // The SDK waits as long as `retry-after` says, whatever its time-out is. A call may ask for retries itself.
    maxRetries: 0,
  });
  const { realtime } = client.speechToText;
  realtime.connect = (options) => openScribe(realtime, options, egress, sdk);
  return client;
}

interface ScribeSocket {
  setWebSocket(socket: unknown): void;
}

interface Scribe {
  buildWebSocketUri(options: object): Promise<string>;
  streamFromUrl(options: object, connection: object, commitStrategy: string): Promise<void>;
}

/** What the SDK's own `connect` does, through the slot's socket: the SDK makes its own, which nobody can aim. */
async function openScribe(
  realtime: object,
  options: Parameters<ElevenLabsClient["speechToText"]["realtime"]["connect"]>[0],
  egress: Egress,
  { RealtimeConnection }: ElevenLabsSdk,
): ReturnType<ElevenLabsClient["speechToText"]["realtime"]["connect"]> {
  const { buildWebSocketUri, streamFromUrl } = realtime as Scribe;
  const connection = new RealtimeConnection("url" in options ? 16_000 : options.sampleRate);
  const socket = new egress.WebSocket(await buildWebSocketUri.call(realtime, options));
  (connection as unknown as ScribeSocket).setWebSocket(socket);
  socket.on("open", () => {
    if ("url" in options) void streamFromUrl.call(realtime, options, connection, options.commitStrategy ?? "manual");
  });
  return connection;
}
