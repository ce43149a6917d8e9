import { openaiCanary } from "./canary/openai-canary.ts";
import type { Endpoint } from "./endpoint.ts";
import { probe } from "./http/probe.ts";
import { foreignKeys } from "./key-format.ts";
import type { OpenAISdk } from "./openai-sdk/openai-client.ts";
import { openaiAccountState, openaiGenerations, openaiHeaders } from "./openai-sdk/openai-headers.ts";
import { loadProtocol, openSession } from "./openai-sdk/openai-protocol.ts";
import type { Model, Provider } from "./provider.ts";
import { openaiRefusals } from "./refusals/openai-refusals.ts";
import type { OpenAI, OpenAIRealtimeWS } from "./sdk-types.ts";

/** Data residency hosts as the SDK's `dataResidency` option names them (openai 7.57). */
const regionNames = ["us", "eu", "ae", "au", "in", "jp"] as const;

const toEndpoint = (name: string): Endpoint => ({ baseUrl: `https://${name}/v1`, websocketUrl: `wss://${name}/v1` });

const listLlm = (id: string, name: string): Model => ({ id, name, default: false, slot: "llm" });
const listRealtime = (id: string, name: string): Model => ({
  id,
  name,
  default: id === "gpt-realtime",
  slot: "realtime",
});

/** OpenAI: `llm` through chat completions and responses, `realtime` through the realtime API. */
export const openai: Provider<"openai", "llm" | "realtime", OpenAI, OpenAIRealtimeWS> = {
  id: "openai",
  name: "OpenAI",
  category: "llm",
  docsUrl: "https://platform.openai.com/docs",
  serves: ["llm", "realtime"],
  endpoint: toEndpoint("api.openai.com"),
  regions: Object.fromEntries(regionNames.map((region) => [region, toEndpoint(`${region}.api.openai.com`)])),
  sdk: "openai@7",
  keyVariable: "OPENAI_API_KEY",
  keyPrefixes: ["sk-proj-", "sk-svcacct-", "sk-admin-"],
  refusedPrefixes: { "sk-admin-": "it is an admin key, which runs no model", ...foreignKeys },
  models: [
    { id: "gpt-4o-mini", name: "GPT-4o Mini", default: true, slot: "llm" },
    listLlm("gpt-4o", "GPT-4o"),
    listLlm("gpt-6.1-sol", "GPT-6.1 Sol"),
    listLlm("gpt-6.1-terra", "GPT-6.1 Terra"),
    listLlm("gpt-6-astra", "GPT-6 Astra"),
    listLlm("gpt-6-sol", "GPT-6 Sol"),
    listLlm("gpt-6-luna", "GPT-6 Luna"),
    listLlm("gpt-5.5", "GPT-5.5"),
    listLlm("gpt-5.4", "GPT-5.4"),
    listLlm("gpt-5.4-mini", "GPT-5.4 Mini"),
    listLlm("gpt-5.4-nano", "GPT-5.4 Nano"),
    listLlm("gpt-4.1", "GPT-4.1"),
    listLlm("gpt-4.1-mini", "GPT-4.1 Mini"),
    listRealtime("gpt-realtime", "GPT Realtime"),
    listRealtime("gpt-realtime-2.1", "GPT Realtime 2.1"),
    listRealtime("gpt-realtime-2.1-mini", "GPT Realtime 2.1 Mini"),
    listRealtime("gpt-realtime-mini", "GPT Realtime Mini"),
  ],
  voices: ["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"].map((id) => ({
    id,
    name: `${id.charAt(0).toUpperCase()}${id.slice(1)}`,
  })),
  canary: openaiCanary("openai"),
  load: () => loadProtocol("openai"),
  accountHeaders: { organization: "openai-organization", project: "openai-project" },
  headers: openaiHeaders,
  repeatable: openaiGenerations,
  accountState: openaiAccountState,
  connect: (egress, loaded) => (loaded as OpenAISdk).connect(egress),
  realtime: (egress, loaded, session) => openSession("openai", egress, loaded, session),
  refusals: openaiRefusals,
  check: (credential, signal) => probe(credential, signal, "/models", openaiRefusals),
};
