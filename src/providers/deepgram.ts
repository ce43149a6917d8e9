import type { DeepgramClient } from "@deepgram/sdk";
import { importOptional } from "../import-optional.ts";
import { pinnedFetch, toOrigin } from "./http/pinned-fetch.ts";
import { probe } from "./http/probe.ts";
import { foreignKeys, foreignModelKeys } from "./key-format.ts";
import type { Endpoint, Model, Provider } from "./provider.ts";
import { deepgramRefusals } from "./refusals/deepgram-refusals.ts";

const globalHost = "api.deepgram.com";
/** Voice agents have a host of their own, in the global region only (https://developers.deepgram.com). */
const agentHost = "agent.deepgram.com";

const toEndpoint = (name: string): Endpoint => ({ baseUrl: `https://${name}`, websocketUrl: `wss://${name}` });
const listStt = (id: string, name: string): Model => ({ id, name, default: id === "nova-3-general", slot: "stt" });
const listTts = (id: string, name: string): Model => ({ id, name, default: id === "aura-2-thalia-en", slot: "tts" });

/** Deepgram: `stt` live and from files, `tts` with the Aura voices. */
export const deepgram: Provider<"deepgram", "stt" | "tts", DeepgramClient> = {
  id: "deepgram",
  name: "Deepgram",
  category: "stt",
  docsUrl: "https://developers.deepgram.com/",
  serves: ["stt", "tts"],
  endpoint: toEndpoint(globalHost),
  regions: {
    eu: toEndpoint("api.eu.deepgram.com"),
    au: toEndpoint("api.au.deepgram.com"),
    in: toEndpoint("api.in.deepgram.com"),
  },
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
  load: () => importOptional("deepgram", "@deepgram/sdk@5", () => import("@deepgram/sdk")),
  connect: (credential, loaded) => {
    const { DeepgramClient: Client } = loaded as typeof import("@deepgram/sdk");
    const { baseUrl, websocketUrl, key, requestTimeoutMs } = credential;
    const isGlobal = new URL(baseUrl).host === globalHost;
    const agent = isGlobal ? toEndpoint(agentHost) : { baseUrl, websocketUrl };
    return new Client({
      // A supplier, because the SDK shows a plain key to whoever inspects or serialises the client.
      apiKey: () => key.reveal(),
      environment: {
        base: baseUrl,
        production: websocketUrl,
        agent: agent.websocketUrl,
        agentRest: agent.baseUrl,
      },
      fetch: pinnedFetch("deepgram", credential, [toOrigin(baseUrl), toOrigin(agent.baseUrl)]) as typeof fetch,
      timeoutInSeconds: (2 * requestTimeoutMs) / 1_000,
      // The SDK waits as long as `retry-after` says, whatever its time-out is. A call may ask for retries itself.
      maxRetries: 0,
    });
  },
  check: (credential, signal) => {
    const headers = { authorization: `Token ${credential.key.reveal()}` };
    return probe("deepgram", credential, signal, { path: "/v1/auth/token", headers }, deepgramRefusals);
  },
};
