import type { Anthropic } from "@anthropic-ai/sdk";
import { defineProvider } from "byokit";

/** Anthropic, for the slot `llm`. Custom headers of the environment would otherwise be in every request. */
export const anthropic = defineProvider({
  id: "anthropic",
  name: "Anthropic",
  category: "llm",
  docsUrl: "https://docs.claude.com",
  serves: ["llm"],
  endpoint: { baseUrl: "https://api.anthropic.com", websocketUrl: "wss://api.anthropic.com" },
  keyHeader: { name: "x-api-key" },
  headers: ["anthropic-beta", "anthropic-version", "x-stainless-*"],
  keyVariable: "ANTHROPIC_API_KEY",
  models: [{ id: "claude-haiku-4-5", name: "Claude Haiku 4.5", default: true, slot: "llm" }],
  load: () => import("@anthropic-ai/sdk"),
  connect({ placeholder, baseUrl, fetch }, loaded): Anthropic {
    const sdk = loaded as typeof import("@anthropic-ai/sdk");
    const options = { apiKey: placeholder, baseURL: baseUrl, webhookKey: null, fetch } as const;
    const client = new sdk.Anthropic({ ...options, logLevel: "off", maxRetries: 0 });
    Object.assign(client, { _options: { ...options, defaultHeaders: undefined } });
    return client;
  },
});
