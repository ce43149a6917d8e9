import { type Guard, guardsOf } from "./guard.ts";

/** What keeps a client hermetic. */
export const guardsOfProviders: readonly Guard[] = [
  ...guardsOf("providers/openai-sdk/openai-client.ts", "providers/openai-sdk/openai-client.test.ts", [
    ["OPENAI_ORG_ID", "organization: null,", "", "organization"],
    ["OPENAI_PROJECT_ID", "project: null,", "", "project"],
    ["OPENAI_ADMIN_KEY", "adminAPIKey: null,", "", "admin"],
    ["OPENAI_WEBHOOK_SECRET", "webhookSecret: null,", "", "webhookSecret"],
    ["OPENAI_LOG", 'logLevel: "off",', "", "log setting"],
    ["refusals that end at once", "if (refused !== undefined) throw refused;", "", "another host"],
    ["one deadline for retries", "return requestDeadline.run(", "return ((_deadline, send) => send())(", "one budget"],
    ["a request's own time-out", "requestDeadline.getStore()?.lowerTo(options.timeout)", "void 0", "shorter"],
    ["no wait for a late retry", "isTooLong && !response.ok", "false", "kept waiting"],
  ]),
  ...guardsOf("providers/openai-sdk/openai-client.ts", "providers/hermetic.test.ts", [
    ["OPENAI_BASE_URL", "baseURL: baseUrl,", "", "what openai"],
    ["OPENAI_CUSTOM_HEADERS", "defaultHeaders: options.defaultHeaders, [pin]: pinned", "[pin]: pinned", "what openai"],
    ["a pinned key", 'hide(this, "apiKey", () => key.reveal());', "", "openai.*shows"],
    ["hidden options", 'hide(this, "_options", () => kept);', "", "what openai"],
  ]),
  ...guardsOf("providers/openai-sdk/openai-client.ts", "providers/environment.test.ts", [
    ["OPENAI_API_KEY", "apiKey: key.reveal(),", "", "openai needs"],
  ]),
  ...guardsOf("providers/openai-sdk/openai-realtime.ts", "providers/hermetic.test.ts", [
    ["a realtime key", "apiKey: key.reveal(), baseURL", "baseURL", "realtime socket"],
    ["a realtime model", "      model,\n      options", '      model: "",\n      options', "realtime socket"],
  ]),
  ...guardsOf("providers/http/pinned-fetch.ts", "providers/hermetic.test.ts", [
    ["the host", "if (!origins.includes(new URL(url).origin)) return hostRefused(provider);", "", "another host"],
    ["redirects", 'redirect: "error"', 'redirect: "follow"', "redirect"],
    ["echoed keys", "response.ok ? body : await scrubResponse(body, key)", "body", "echoes"],
    ["stalled headers", "() => ending.abort(noAnswer()), limitMs", "() => {}, limitMs", "headers stall"],
  ]),
  ...guardsOf("providers/http/response-body.ts", "providers/http/response-body.test.ts", [
    [
      "stalled bodies",
      "await within(systemClock, limitMs, reader.read(), timeout)",
      "await reader.read()",
      "pending too long",
    ],
    ["keys that JSON escaped", ".replaceAll(JSON.stringify(plain).slice(1, -1)", '.replaceAll("\\0"', "loses the key"],
    ["short error bodies", "if (size >= limit) break;", "", "up to 64 KB"],
  ]),
  ...guardsOf("providers/deepgram.ts", "providers/hermetic.test.ts", [
    ["DEEPGRAM_API_KEY", "apiKey: () => key.reveal(),", "apiKey: () => undefined as never,", "deepgram receives"],
    ["DEEPGRAM_ACCESS_TOKEN", "apiKey: () => key.reveal(),", "", "deepgram receives"],
    ["a supplied Deepgram key", "apiKey: () => key.reveal(),", "apiKey: key.reveal(),", "deepgram.*shows"],
  ]),
  ...guardsOf("providers/elevenlabs.ts", "providers/hermetic.test.ts", [
    ["ELEVENLABS_API_KEY", "apiKey: () => key.reveal(),", "", "elevenlabs receives"],
    ["a supplied ElevenLabs key", "apiKey: () => key.reveal(),", "apiKey: key.reveal(),", "elevenlabs.*shows"],
  ]),
  ...guardsOf("providers/resend.ts", "providers/hermetic.test.ts", [
    ["a hidden Resend key", "key: { get: () => key.reveal(), enumerable: false },", "", "resend.*shows"],
    ["RESEND_USER_AGENT", '      "user-agent": userAgent,\n', "", "resend receives"],
    ["Resend's requests through the gate", "fetchRequest: {", "unusedRequest: {", "resend.*keeps"],
  ]),
  ...guardsOf("providers/resend.ts", "providers/environment.test.ts", [
    ["RESEND_API_KEY", "new sdk.Resend(key.reveal(), {", "new sdk.Resend(undefined, {", "resend needs"],
  ]),
  ...guardsOf("providers/http/probe.ts", "providers/key-verdicts.test.ts", [
    ["no verdict from a page", "response.ok && /^\\s*[[{]/u.test(text)", "response.ok", "says nothing"],
    [
      "an end to an answer",
      "await readTextUpTo(response.body, maxAnswerBytes)",
      "await response.text()",
      "without end",
    ],
  ]),
  ...guardsOf("providers/openai.ts", "providers/key-verdicts.test.ts", [
    ["quota", 'if (codes.includes("insufficient_quota"))', "if (false)", "exceeded your"],
    ["scopes", "if (isMissingScope) return", "if (false) return", "have insufficient"],
    ["a verdict by the body", "return isWrong ?", "return true ?", "answers 500"],
  ]),
  ...guardsOf("providers/xai.ts", "providers/key-verdicts.test.ts", [
    [
      "a verdict by the body",
      "if (status >= 400 && /incorrect api key/iu.test(said))",
      "if (status >= 400)",
      "caller does",
    ],
    [
      "keys that are blocked",
      "if (isBlocked) return",
      "if (false) return",
      'xai that answers 200 \\{"redacted_api_key":"xai-…","acls":\\["api-key:endpoint:\\*","api-key:model:\\*"\\],"api_key_disabled":true\\} says invalid',
    ],
    [
      "keys with less than everything",
      "return isWhole ?",
      "return true ?",
      'xai that answers 200 \\{"redacted_api_key":"xai-…","acls":\\[\\]\\} says restricted',
    ],
  ]),
  ...guardsOf("providers/deepgram.ts", "providers/key-verdicts.test.ts", [
    ["a verdict by the body", "return isWrong ?", "return true ?", "answers 404"],
  ]),
  ...guardsOf("providers/elevenlabs.ts", "providers/key-verdicts.test.ts", [
    [
      "scopes",
      'if (detail === "missing_permissions")',
      "if (false)",
      'elevenlabs that answers 401 \\{"detail":\\{"status":"missing_permissions","message":"…"\\}\\} says restricted',
    ],
    ["a verdict by the body", 'return detail === "invalid_api_key" ?', "return true ?", "elevenlabs without"],
  ]),
  ...guardsOf("providers/resend.ts", "providers/key-verdicts.test.ts", [
    [
      "scopes",
      'if (name === "restricted_api_key")',
      "if (false)",
      'resend that answers 401 \\{"statusCode":401,"name":"restricted_api_key","message":"This API key is restricted"\\} says restricted',
    ],
    ["a verdict by the body", "return isInvalid ?", "return true ?", "answers 502"],
  ]),
  ...guardsOf("providers/key-format.ts", "providers/key-format.test.ts", [
    ["the length of a key", "if (trimmed.length > maxKeyLength)", "if (false)", 'like "kkk'],
    ["printable keys", "if (!key.isSendable())", "if (false)", 'a text.*like "key with blanks" is no key of anybody'],
    ["refused prefixes", "if (trimmed.startsWith(prefix)) throw", "if (false) throw", "like sk-admin-runs-no-model"],
    ["other providers' prefixes", "other.id !== provider.id &&", "false &&", "deepgram like"],
  ]),
];
