import { type Guard, guardsOf } from "./guard.ts";

/** One rule for each family of texts that stand where a key belongs. */
const nobodysKeys: readonly Guard[] = guardsOf("providers/nobodys-key.ts", "providers/key-format.test.ts", [
  [
    "an invisible character",
    "/[\\u00ad\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\ufeff]/u",
    "/(?!)/u",
    "that is an invisible character is no",
  ],
  ["a mask", "/\\*|\\.{2,}|[…•●∙·◦○■▪⬤]|#{4,}|x{8,}|^(?:[a-z]{1,8}[-_])*x{3,}$/iu", "/(?!)/u", "that is a mask is no"],
  ["one character", "/^(.)\\1{5,}$/u", "/(?!)/u", "that is one character is no"],
  ["a beginning", "/^(?:sk|sk[-_](?:proj|svcacct|admin|ant)|xai|re)[-_]?$/iu", "/(?!)/u", "that is a beginning is no"],
  ["an encoded text", "/%[0-9a-f]{2}/iu", "/(?!)/u", "that is an encoded text is no"],
  ["a printed object", "/^\\[object /u", "/(?!)/u", "that is a printed object is no"],
  [
    "a text taken out",
    "/^[[(<]?(?:redacted|hidden|masked|removed|key removed|secret|filtered)[\\])>]?$/iu",
    "/(?!)/u",
    "that is a text taken out is no",
  ],
  [
    "nothing",
    "/^[[(<]?(?:[a-z]{1,8}[-_])*(?:null|undefined|none|nil|nan|infinity|true|false|n\\/a|void|empty|unset)[\\])>]?$/iu",
    "/(?!)/u",
    "that is nothing is no",
  ],
  [
    "a reference",
    "/\\$[{(]|^\\$|\\{\\{|^%\\w+%$|^(?:process\\.env|import\\.meta\\.env|os\\.environ)\\b/u",
    "/(?!)/u",
    "that is a reference is no",
  ],
  ["JSON", "/^\\s*[{[]\\s*(?:[\"'{[\\]}]|-?\\d)/u", "/(?!)/u", "that is JSON is no"],
  [
    "a header",
    "/^(?:authorization|proxy-authorization|(?:xi|x)-api-key)\\s*[:=]/iu",
    "/(?!)/u",
    "that is a header is no",
  ],
  ["a bearer", "/^bearer/iu", "/(?!)/u", "that is a bearer is no"],
  ["a scheme", "/^(?:token|basic)[\\s:]/iu", "/(?!)/u", "that is a scheme is no"],
  [
    "a URL",
    "/^[a-z][a-z0-9+.-]*:\\/\\/|^www\\.|^(?:[a-z0-9-]+\\.)+(?:com|io|ai|org|net)(?:[/:]|$)/iu",
    "/(?!)/u",
    "that is a URL is no",
  ],
  [
    "an assignment",
    "/^(?:(?:export|set|setx)\\s+)?[-$?&]*[a-z_][\\w-]*\\s*=\\s*[^=\\s]|^(?:[a-z]+[-_ ])*(?:api)?(?:key|token|secret)\\s*:\\s*\\S/iu",
    "/(?!)/u",
    "that is an assignment is no",
  ],
  ["angle brackets", "/[<>]/u", "/(?!)/u", "that is angle brackets is no"],
  [
    "a placeholder",
    "/placeholder|(?:^|[^a-z])your[a-z_ -]{0,40}(?:key|token|secret)|^(?:change|replace)[-_ ]?(?:me|this)$|(?:key|token|secret)[-_ ](?:goes[-_ ])?here$|^(?:(?:my[-_ ]?)?api[-_ ]?key|todo|tbd|fixme|dummy|changeit)$/iu",
    "/(?!)/u",
    "that is a placeholder is no",
  ],
  [
    "a variable's name",
    "/^_*[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN|SECRET)_*$/u",
    "/(?!)/u",
    "that is a variable's name is no",
  ],
  ["quotation marks", "/[\"'`“”„‘’«»]/u", "/(?!)/u", "that is quotation marks is no"],
  ["a backslash", "/\\\\/u", "/(?!)/u", "that is a backslash is no"],
  ["a comma", "/[,;]/u", "/(?!)/u", "that is a comma is no"],
  ["brackets", "/[[\\](){}]/u", "/(?!)/u", "that is brackets is no"],
]);

/** What keeps a client hermetic. */
export const guardsOfProviders: readonly Guard[] = [
  ...guardsOf("providers/openai-sdk/openai-client.ts", "providers/openai-sdk/openai-client.test.ts", [
    ["OPENAI_ORG_ID", "organization: null,", "", "organization"],
    ["OPENAI_PROJECT_ID", "project: null,", "", "project"],
    ["OPENAI_ADMIN_KEY", "adminAPIKey: null,", "", "admin"],
    ["OPENAI_WEBHOOK_SECRET", "webhookSecret: null,", "", "webhookSecret"],
    ["OPENAI_LOG", 'logLevel: "off",', "", "log setting"],
    [
      "one deadline for retries",
      "return requestDeadline.run(",
      "return ((_deadline, send) => send())(",
      "kept waiting",
    ],
    ["a request's own time-out", "requestDeadline.getStore()?.lowerTo(options.timeout)", "void 0", "shorter"],
    [
      "no wait for a late retry",
      "if (!isTooLong || response.ok) return response;",
      "if (true) return response;",
      "kept waiting",
    ],
  ]),
  ...guardsOf("providers/openai-sdk/openai-client.ts", "providers/environment.test.ts", [
    ["OPENAI_API_KEY", "apiKey: egress.placeholder,", "", "openai needs"],
  ]),
  ...guardsOf("providers/http/probe.ts", "providers/key-verdicts.test.ts", [
    ["no verdict from a page", "response.ok && /^\\s*[[{]/u.test(text)", "response.ok", "portal's page, 200"],
    [
      "an end to an answer",
      "(await readUpTo(response.body, maxAnswerBytes)).toString()",
      "await response.text()",
      "without end",
    ],
  ]),
  ...guardsOf("providers/http/read-field.ts", "providers/key-verdicts.test.ts", [
    [
      "own properties",
      "isObject && Object.hasOwn(value as object, name)",
      "isObject",
      "(deepgram|openai|elevenlabs|xai).*own properties",
    ],
  ]),
  ...guardsOf("providers/endpoints.ts", "providers/hermetic.test.ts", [
    [
      "a declared host of ours alone",
      "readOptions(`endpoints.$" + "{provider}`, given, rules)",
      "given",
      "takes a host",
    ],
    ["a region of ours alone", "Object.hasOwn(regions, region) ?", "true ?", "takes a host"],
  ]),
  ...guardsOf("providers/refusals/refusal.ts", "providers/egress/frame-watch.test.ts", [
    [
      "the reason of a socket's end",
      "table.read(answer) ?? readReason(answer)",
      "table.read(answer)",
      "deepgram, the reason of an end|elevenlabs, the reason of an end",
    ],
  ]),
  ...guardsOf("providers/refusals/openai-refusals.ts", "providers/egress/frame-watch.test.ts", [
    [
      "responses that fail",
      'readObject(body, "error") ?? failed',
      'readObject(body, "error")',
      "a response without quota",
    ],
  ]),
  ...guardsOf("providers/refusals/elevenlabs-refusals.ts", "providers/egress/frame-watch.test.ts", [
    [
      "frames",
      "if (status === null) return readFrame(body);",
      "",
      "elevenlabs, (?:transcription, no|speech, no|speech, a wrong|an agent)",
    ],
  ]),
  ...guardsOf("providers/refusals/deepgram-refusals.ts", "providers/egress/frame-watch.test.ts", [
    ["frames", 'status === null && readField(body, "type") === "Error"', "false", "deepgram, (?:Flux, no|live)"],
  ]),
  ...guardsOf("providers/refusals/refusal.ts", "providers/key-verdicts.test.ts", [
    ["401 in any words", "if (status === 401) return", "if (false) return", "401 in words that nobody knows"],
    ["403 in any words", "if (status === 403) return", "if (false) return", "403 in words that nobody knows"],
    ["402 in any words", "if (status === 402) return", "if (false) return", "deepgram.*402 in words that nobody knows"],
    ["a region that is named", 'kind === "region" ?', "false ?", "openai.*another region's host$"],
  ]),
  ...guardsOf("providers/refusals/openai-refusals.ts", "providers/key-verdicts.test.ts", [
    ["an answer of its own", 'isOwn && (sentence !== "" || status === null)', "true", "openai.*only a sentence"],
    ["quota", '"insufficient_quota", ', "", "openai.*by its type alone"],
    ["scopes", "/missing scopes:|insufficient permissions for/iu", "/(?!)/u", "openai.*no code, 401"],
    [
      "regions",
      'codes: ["incorrect_hostname"],\n      sentence: /incorrect regional hostname/iu,',
      "",
      "openai.*region's host",
    ],
    ["accounts", ', "access_terminated"', "", "openai.*access that was terminated"],
  ]),
  ...guardsOf("providers/refusals/deepgram-refusals.ts", "providers/key-verdicts.test.ts", [
    ["an answer of its own", "return isOwn\n", "return true\n", "deepgram.*a proxy's JSON"],
    ["the newer format", 'const isOwn = category !== ""', "const isOwn = false", "deepgram.*the newer format"],
    ["credits", ' "PAYMENT_REQUIRED",', "", "deepgram.*no credits, the newer"],
  ]),
  ...guardsOf("providers/refusals/elevenlabs-refusals.ts", "providers/key-verdicts.test.ts", [
    ["an answer of its own", 'codes.length > 0 && sentence !== ""', "true", "elevenlabs.*a proxy's JSON"],
    ["regions", "/data residency|is a global server|calling the correct api url/iu", "/(?!)/u", "a residency key"],
    [
      "scopes",
      '["missing_permissions", "insufficient_permissions"]',
      "[]",
      "elevenlabs.*scope that is missing, the newer",
    ],
    ["keys in new words", ', "authentication_error", "auth_error"]', "]", "wrong with a key in new words"],
  ]),
  ...guardsOf("providers/refusals/xai-refusals.ts", "providers/key-verdicts.test.ts", [
    ["no verdict from a page", '&& !text.trimStart().startsWith("<")', "", "xai.*(proxy's page|portal's page, 400)"],
    ["credits", "any credits|", "", "a team without credits"],
  ]),
  ...guardsOf("providers/refusals/resend-refusals.ts", "providers/key-verdicts.test.ts", [
    ["an answer of its own", 'isOwn && name !== "" && sentence !== ""', "true", "resend.*a proxy's JSON"],
    ["scopes", '["restricted_api_key"]', "[]", "resend.*only sends"],
  ]),
  ...guardsOf("providers/xai.ts", "providers/key-verdicts.test.ts", [
    [
      "keys that are blocked",
      "if (isBlocked) return",
      "if (false) return",
      "xai.*(is disabled|200, a key that is blocked)",
    ],
    ["keys with less than everything", "return isWhole ?", "return true ?", "xai.*(without any scope|one endpoint)"],
  ]),
  ...guardsOf("providers/platform-keys.ts", "providers/environment.test.ts", [
    ["ELEVEN_API_KEY", '...(ownProperty(provider, "otherKeyVariables") ?? [])', "", "LiveKit's name"],
  ]),
  ...guardsOf("providers/platform-keys.ts", "providers/key-format.test.ts", [
    [
      "keys of the environment that are nobody's",
      "    assertVariable(provider, name, key);\n",
      "",
      "no key of the platform's",
    ],
  ]),
  ...nobodysKeys,
  ...guardsOf("providers/key-format.ts", "providers/key-format.test.ts", [
    ["the length of a key", "if (trimmed.length > maxKeyLength)", "if (false)", 'like "kkk'],
    [
      "a byte order mark",
      'findNobodysKey(given.replace(/^[^\\S\\ufeff]+|[^\\S\\ufeff]+$/gu, ""))',
      "findNobodysKey(trimmed)",
      "invisible",
    ],
    ["printable keys", "if (!key.isSendable())", "if (false)", 'a text.*like "key with blanks" is no key of anybody'],
    ["refused prefixes", "if (trimmed.startsWith(prefix)) throw", "if (false) throw", "like sk-admin-runs-no-model"],
    ["other providers' prefixes", "other.id !== provider.id &&", "false &&", "deepgram like sk-proj"],
  ]),
];
