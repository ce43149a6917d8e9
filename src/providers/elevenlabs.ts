import type { EventEmitter } from "node:events";
import { ByokError } from "../errors.ts";
import { explainImport } from "../explain-import.ts";
import { elevenlabsCanary } from "./canary/elevenlabs-canary.ts";
import type { Egress } from "./egress/egress.ts";
import type { SlotWebSocket } from "./egress/slot-websocket.ts";
import { elevenlabsAccountState } from "./elevenlabs-account-state.ts";
import type { Endpoint } from "./endpoint.ts";
import { answerFailures, rejectFailures } from "./http/answer-failures.ts";
import { probe } from "./http/probe.ts";
import { foreignKeys, foreignModelKeys } from "./key-format.ts";
import type { Model, Provider } from "./provider.ts";
import { elevenlabsRefusals } from "./refusals/elevenlabs-refusals.ts";
import type { ElevenLabsClient } from "./sdk-types.ts";

type ElevenLabsSdk = typeof import("@elevenlabs/elevenlabs-js");

const toEndpoint = (name: string): Endpoint => ({ baseUrl: `https://${name}`, websocketUrl: `wss://${name}` });
const listTts = (id: string, name: string): Model => ({ id, name, default: id === "eleven_flash_v2_5", slot: "tts" });
const listStt = (id: string, name: string): Model => ({ id, name, default: id === "scribe_v2", slot: "stt" });

/** ElevenLabs: `tts`, and `stt` with the Scribe models. Its websocket for text as it is written has no SDK: use `slot.WebSocket`. */
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
  repeatable: /\/v1\/(?:text-to-speech|speech-to-text|speech-to-speech)(?:\/|$)/u,
  accountState: elevenlabsAccountState,
  sdk: "@elevenlabs/elevenlabs-js@2",
  keyVariable: "ELEVENLABS_API_KEY",
  /** LiveKit's. */
  otherKeyVariables: ["ELEVEN_API_KEY"],
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
  canary: elevenlabsCanary,
  async load() {
    try {
      return await import("@elevenlabs/elevenlabs-js");
    } catch (error) {
      throw explainImport(error, "elevenlabs", "@elevenlabs/elevenlabs-js@2");
    }
  },
  connect: (egress, loaded) => connectElevenLabs(egress, loaded as ElevenLabsSdk),
  refusals: elevenlabsRefusals,
  check: (credential, signal) => probe(credential, signal, "/v1/models", elevenlabsRefusals),
};

function connectElevenLabs(egress: Egress, sdk: ElevenLabsSdk): ElevenLabsClient {
  const { placeholder, baseUrl, fetch, requestTimeoutMs } = egress;
  const client = new sdk.ElevenLabsClient({
    apiKey: placeholder,
    environment: baseUrl,
    baseUrl,
    fetch: answerFailures(fetch, sdk.ElevenLabsError),
    timeoutInSeconds: (2 * requestTimeoutMs) / 1_000,
    // The SDK waits as long as `retry-after` says, whatever its time-out is. A call may ask for retries itself.
    maxRetries: 0,
  });
  const { realtime } = client.speechToText;
  realtime.connect = (options) => openScribe(realtime, options, egress, sdk);
  verifyWithKey(client, egress);
  rejectFailures(client);
  return client;
}

/**
 * What calls in is signed with a hash of the key: a placeholder would refuse every call of ElevenLabs'. While no key serves it
 * refuses each, and does not reject, for the SDK asks where nothing catches.
 */
function verifyWithKey(client: object, egress: Egress): void {
  if (!("speechEngine" in client)) return;
  const engine = client.speechEngine as { _options: object };
  const apiKey = async (): Promise<string> =>
    await egress.decideKey().then(
      (key) => key.reveal(),
      () => egress.placeholder,
    );
  engine._options = { ...engine._options, apiKey };
}

type ScribeOptions = Parameters<ElevenLabsClient["speechToText"]["realtime"]["connect"]>[0];

interface Scribe {
  buildWebSocketUri(options: object): Promise<string>;
  streamFromUrl(options: object, connection: object, commitStrategy: string): Promise<void>;
}

/**
 * What the SDK's own `connect` does, through the slot's socket: the SDK makes its own, which cannot be aimed. The slot's key
 * opens it: a `token` of the caller's is not sent.
 */
async function openScribe(
  realtime: object,
  options: ScribeOptions,
  egress: Egress,
  { RealtimeConnection, RealtimeEvents }: ElevenLabsSdk,
): ReturnType<ElevenLabsClient["speechToText"]["realtime"]["connect"]> {
  if (!options.modelId) throw new Error("modelId is required");
  const { buildWebSocketUri, streamFromUrl } = realtime as Scribe;
  const connection = new RealtimeConnection("url" in options ? 16_000 : options.sampleRate);
  // Without a listener the SDK's event would end the process.
  connection.on(RealtimeEvents.ERROR, () => {});
  const socket = new egress.WebSocket(await buildWebSocketUri.call(realtime, options));
  attachTo(connection, socket);
  socket.on("open", () => {
    if (!("url" in options)) return;
    streamFromUrl
      .call(realtime, options, connection, options.commitStrategy ?? "manual")
      .catch((error: unknown) => fail(socket, error));
  });
  return connection;
}

/** The SDK parses each frame where nothing catches: one that is no JSON object never gets there. */
function attachTo(connection: object, socket: SlotWebSocket): void {
  const on = socket.on.bind(socket);
  Object.defineProperty(socket, "on", {
    configurable: true,
    value: (event: string, listener: (frame: unknown) => void) =>
      on(
        event,
        event === "message" ? (frame) => (isObject(frame) ? listener(frame) : fail(socket, notJson())) : listener,
      ),
  });
  (connection as { setWebSocket(socket: unknown): void }).setWebSocket(socket);
  Reflect.deleteProperty(socket, "on");
}

function isObject(frame: unknown): boolean {
  try {
    const parsed: unknown = JSON.parse(String(frame));
    return typeof parsed === "object" && parsed !== null;
  } catch {
    return false;
  }
}

function fail(socket: SlotWebSocket, error: unknown): void {
  (socket as unknown as EventEmitter).emit("error", error);
}

function notJson(): ByokError {
  const message =
    '"elevenlabs" sent a frame that is no JSON object. Check its host; if it goes on, open another socket.';
  return new ByokError("provider_failed", message, { provider: "elevenlabs", slot: "stt" });
}
