import type { DeepgramClient } from "@deepgram/sdk";
import { importSdk } from "../import-sdk.ts";
import { gate, originOf } from "./http/gate.ts";
import { field, probe } from "./http/probe.ts";
import { anthropicKeys } from "./key-format.ts";
import type { Endpoint, Model, Provider } from "./provider.ts";

const globalHost = "api.deepgram.com";
/** Voice agents have a host of their own, in the global region only (https://developers.deepgram.com). */
const agentHost = "agent.deepgram.com";

const host = (name: string): Endpoint => ({ baseUrl: `https://${name}`, websocketUrl: `wss://${name}` });
const stt = (id: string, name: string): Model => ({ id, name, default: id === "nova-3-general", slot: "stt" });
const tts = (id: string, name: string): Model => ({ id, name, default: id === "aura-2-thalia-en", slot: "tts" });

/** Deepgram: `stt` live and from files, `tts` with the Aura voices. */
export const deepgram: Provider<"deepgram", "stt" | "tts", DeepgramClient> = {
  id: "deepgram",
  name: "Deepgram",
  category: "stt",
  docsUrl: "https://developers.deepgram.com/",
  serves: ["stt", "tts"],
  endpoint: host(globalHost),
  regions: {
    eu: host("api.eu.deepgram.com"),
    au: host("api.au.deepgram.com"),
    in: host("api.in.deepgram.com"),
  },
  sdk: "@deepgram/sdk@5",
  refusedPrefixes: anthropicKeys,
  models: [
    stt("nova-3-general", "Nova 3 General"),
    stt("nova-3", "Nova 3"),
    stt("nova-3-medical", "Nova 3 Medical"),
    stt("nova-2-general", "Nova 2 General"),
    stt("nova-2-phonecall", "Nova 2 Phone Call"),
    stt("flux-general-en", "Flux General (English)"),
    stt("flux-general-multi", "Flux General (multilingual)"),
    tts("aura-2-thalia-en", "Aura 2 Thalia"),
    tts("aura-2-andromeda-en", "Aura 2 Andromeda"),
  ],
  load: () => importSdk("deepgram", "@deepgram/sdk@5", () => import("@deepgram/sdk")),
  connect: (credential, loaded) => {
    const { DeepgramClient: Client } = loaded as typeof import("@deepgram/sdk");
    const { baseUrl, websocketUrl, key, requestTimeoutMs } = credential;
    const isGlobal = new URL(baseUrl).host === globalHost;
    const agent = isGlobal ? host(agentHost) : { baseUrl, websocketUrl };
    return new Client({
      // A supplier, because the SDK shows a plain key to whoever inspects or serialises the client.
      apiKey: () => key.reveal(),
      environment: {
        base: baseUrl,
        production: websocketUrl,
        agent: agent.websocketUrl,
        agentRest: agent.baseUrl,
      },
      fetch: gate("deepgram", credential, [originOf(baseUrl), originOf(agent.baseUrl)]) as typeof fetch,
      timeoutInSeconds: (2 * requestTimeoutMs) / 1_000,
      // The SDK waits as long as `retry-after` says, whatever its time-out is. A call may ask for retries itself.
      maxRetries: 0,
    });
  },
  check: (credential, signal) => {
    const headers = { authorization: `Token ${credential.key.reveal()}` };
    return probe("deepgram", credential, signal, { path: "/v1/auth/token", headers }, ({ body }) => {
      const code = field(body, "err_code");
      if (code === "INSUFFICIENT_PERMISSIONS") return { result: "restricted", reason: "missing_scope" };
      const isWrong = code === "INVALID_AUTH" || /invalid credentials/iu.test(field(body, "err_msg"));
      return isWrong ? { result: "invalid", reason: "wrong_key" } : undefined;
    });
  },
};
