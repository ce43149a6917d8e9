import { openaiCanary } from "./canary/openai-canary.ts";
import type { AccountState } from "./egress/vendor.ts";
import { probe } from "./http/probe.ts";
import { readObject } from "./http/read-field.ts";
import { foreignKeys } from "./key-format.ts";
import type { OpenAISdk } from "./openai-sdk/openai-client.ts";
import { openaiAccountState, openaiGenerations, openaiHeaders } from "./openai-sdk/openai-headers.ts";
import { loadProtocol, openSession } from "./openai-sdk/openai-protocol.ts";
import type { KeyCheck, Provider } from "./provider.ts";
import { xaiRefusals } from "./refusals/xai-refusals.ts";
import type { OpenAI, OpenAIRealtimeWS } from "./sdk-types.ts";

/** What a key without restrictions may do, in the words of `GET /v1/api-key`. */
const everything = ["api-key:endpoint:*", "api-key:model:*"];

/**
 * xAI through OpenAI's SDK: `realtime` voice and `llm`. Without regions: xAI's regional hosts serve no voice API
 * (https://docs.x.ai/developers/advanced-api-usage/regions).
 */
/** Voices that xAI has not made itself are an account's own. */
const ownVoice = /"voice(?:_id)?"\s*:\s*"(?!(?:alloy|ara|echo|eve|leo|rex|sal|shimmer)")/u;

const xaiAccountState: AccountState = {
  path: new RegExp(`${openaiAccountState.path?.source}|/custom-voices(?:[/?]|$)`, "u"),
  body: new RegExp(`${openaiAccountState.body?.source}|${ownVoice.source}`, "u"),
};

export const xai: Provider<"xai", "realtime" | "llm", OpenAI, OpenAIRealtimeWS> = {
  id: "xai",
  name: "xAI",
  category: "realtime",
  docsUrl: "https://docs.x.ai/docs",
  serves: ["realtime", "llm"],
  endpoint: { baseUrl: "https://api.x.ai/v1", websocketUrl: "wss://api.x.ai/v1" },
  sdk: "openai@7",
  keyVariable: "XAI_API_KEY",
  keyPrefixes: ["xai-"],
  refusedPrefixes: foreignKeys,
  models: [
    { id: "grok-beta-realtime", name: "Grok Beta Realtime", default: true, slot: "realtime" },
    { id: "grok-voice-latest", name: "Grok Voice (latest)", default: false, slot: "realtime" },
    { id: "grok-voice-3.0", name: "Grok Voice 3.0", default: false, slot: "realtime" },
    { id: "grok-4", name: "Grok 4", default: true, slot: "llm" },
  ],
  voices: [
    { id: "alloy", name: "Alloy" },
    { id: "echo", name: "Echo" },
    { id: "shimmer", name: "Shimmer" },
    { id: "eve", name: "Eve" },
    { id: "ara", name: "Ara" },
    { id: "rex", name: "Rex" },
    { id: "sal", name: "Sal" },
    { id: "leo", name: "Leo" },
  ],
  canary: openaiCanary("xai"),
  load: () => loadProtocol("xai"),
  headers: openaiHeaders,
  repeatable: openaiGenerations,
  accountState: xaiAccountState,
  connect: (egress, loaded) => (loaded as OpenAISdk).connect(egress),
  realtime: (egress, loaded, session) => openSession("xai", egress, loaded, session),
  refusals: xaiRefusals,
  check: (credential, signal) => probe(credential, signal, "/api-key", xaiRefusals, judgeFacts),
};

/** A key that is blocked reads its own facts all the same. */
function judgeFacts(body: unknown): KeyCheck | undefined {
  const facts = {
    api_key_blocked: false,
    api_key_disabled: false,
    team_blocked: false,
    acls: null,
    ...readObject(body),
  };
  const isBlocked = [facts.api_key_blocked, facts.api_key_disabled, facts.team_blocked].includes(true);
  if (isBlocked) return { verdict: "invalid", reason: "blocked" };
  const acls: unknown = facts.acls;
  const isWhole = !Array.isArray(acls) || everything.every((acl) => acls.includes(acl));
  return isWhole ? undefined : { verdict: "restricted", reason: "missing_scope" };
}
