import { explainImport } from "../explain-import.ts";
import { deepgramCanary } from "./canary/deepgram-canary.ts";
import { leaveBy } from "./deepgram-sockets.ts";
import type { Egress } from "./egress/egress.ts";
import type { Endpoint } from "./endpoint.ts";
import { answerFailures, rejectFailures } from "./http/answer-failures.ts";
import { probe } from "./http/probe.ts";
import { foreignKeys, foreignModelKeys } from "./key-format.ts";
import type { Model, Provider } from "./provider.ts";
import { deepgramRefusals } from "./refusals/deepgram-refusals.ts";
import type { DeepgramClient } from "./sdk-types.ts";

type DeepgramSdk = typeof import("@deepgram/sdk");

const toEndpoint = (name: string): Endpoint => ({ baseUrl: `https://${name}`, websocketUrl: `wss://${name}` });
const listStt = (id: string, name: string): Model => ({ id, name, default: id === "nova-3-general", slot: "stt" });
const listTts = (id: string, name: string): Model => ({ id, name, default: id === "aura-2-thalia-en", slot: "tts" });

/** Voice agents have a host of their own, in the global region only (https://developers.deepgram.com). */
const agentEndpoint = toEndpoint("agent.deepgram.com");

/** Deepgram: `stt` live and from files, `tts` with the Aura voices. */
export const deepgram: Provider<"deepgram", "stt" | "tts", DeepgramClient> = {
  id: "deepgram",
  name: "Deepgram",
  category: "stt",
  docsUrl: "https://developers.deepgram.com/",
  serves: ["stt", "tts"],
  endpoint: toEndpoint("api.deepgram.com"),
  otherHosts: [agentEndpoint],
  regions: {
    eu: toEndpoint("api.eu.deepgram.com"),
    au: toEndpoint("api.au.deepgram.com"),
    in: toEndpoint("api.in.deepgram.com"),
  },
  keyHeader: { name: "authorization", scheme: "Token" },
  headers: ["dg-*", "x-deepgram-session-id", "x-fern-*"],
  repeatable: /\/v[12]\/(?:listen|speak|read)$/u,
  /** A model that was trained has a UUID for its name. */
  accountState: { path: /\/projects(?:[/?]|$)|[?&]model=[\da-f]{8}-[\da-f]{4}-/u },
  sdk: "@deepgram/sdk@5",
  keyVariable: "DEEPGRAM_API_KEY",
  refusedPrefixes: { ...foreignKeys, ...foreignModelKeys },
  models: [
    listStt("nova-3-general", "Nova 3 General"),
    listStt("nova-3", "Nova 3"),
    listStt("nova-3-medical", "Nova 3 Medical"),
    listStt("nova-2-general", "Nova 2 General"),
    listStt("nova-2-phonecall", "Nova 2 Phone Call"),
    listStt("flux-general-en", "Flux General (English)"),
    listStt("flux-general-multi", "Flux General (multilingual)"),
    listTts("aura-2-thalia-en", "Aura 2 Thalia"),
    listTts("aura-2-andromeda-en", "Aura 2 Andromeda"),
  ],
  canary: deepgramCanary,
  async load() {
    try {
      return await import("@deepgram/sdk");
    } catch (error) {
      throw explainImport(error, "deepgram", "@deepgram/sdk@5");
    }
  },
  connect: (egress, loaded) => connectDeepgram(egress, loaded as DeepgramSdk),
  refusals: deepgramRefusals,
  check: (credential, signal) => probe(credential, signal, "/v1/auth/token", deepgramRefusals),
};

function connectDeepgram(egress: Egress, { DeepgramClient: Client, DeepgramError }: DeepgramSdk): DeepgramClient {
  const { placeholder, baseUrl, websocketUrl, fetch, agent, requestTimeoutMs } = egress;
  const client = new Client({
    apiKey: placeholder,
    // Of its own: what a polluted prototype has would stand in.
    baseUrl: undefined as never,
    environment: {
      base: baseUrl,
      production: websocketUrl,
      agent: agentEndpoint.websocketUrl,
      agentRest: agentEndpoint.baseUrl,
    },
    fetch: answerFailures(fetch, DeepgramError),
    // From 5.10.1 on the SDK's own way; `leaveBy` is that of every version, and tells why a socket was closed.
    agent,
    timeoutInSeconds: (2 * requestTimeoutMs) / 1_000,
    // The SDK waits as long as `retry-after` says, whatever its time-out is. A call may ask for retries itself.
    maxRetries: 0,
  });
  rejectFailures(client);
  for (const sockets of [client.listen, client.speak, client.agent]) leaveBy(sockets, egress);
  return client;
}
