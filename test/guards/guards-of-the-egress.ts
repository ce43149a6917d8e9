import { type Guard, guardsOf } from "./guard.ts";

const at = (name: string): string => `providers/egress/${name}.test.ts`;

/** What a request carries, where it goes, and what comes back of it. */
export const guardsOfTheEgress: readonly Guard[] = [
  ...guardsOf("providers/egress/fetch-attempt.ts", at("late-key"), [
    [
      "a key asked about twice",
      "this.#confirm(serving);",
      "",
      "removed key is not sent|cannot be told|newer key|once is not sent",
    ],
    ["a decision made anew", "serving = await supply.decide(this.#init.signal);", "", "newer key"],
    ["an end to deciding", "decisions >= maxDecisions", "false", "changes each time"],
    [
      "bodies that are sent once",
      "const isReplayableBody = isReplayable(this.#init.body);",
      "const isReplayableBody = true;",
      "can be sent only once",
    ],
    ["a host that has changed", ', "baseUrl", before)', ', "baseUrl")', "newer key of another host"],
    ["a request's end before its connection", "this.#guard?.end(this.#ended);", "", "carries it no more"],
  ]),
  ...guardsOf("providers/egress/fetch-attempt.ts", at("bodies"), [
    ["one repetition", "!isRepeated && isConnectionLost(error)", "isConnectionLost(error)", "is tried again once"],
    [
      "requests told once",
      "      this.#report();\n    }\n  }\n\n  async",
      "    }\n  }\n\n  async",
      "each is told once",
    ],
  ]),
  ...guardsOf("providers/egress/key-supply.ts", at("late-key"), [
    ["a key that cannot be told", "now !== undefined && ", "now === undefined || ", "cannot be told"],
  ]),
  ...guardsOf("providers/egress/fetch-answer.ts", at("failures"), [
    ["no redirects", "if (isRedirect(response)) return", "if (false) return", "for a redirect"],
  ]),
  ...guardsOf("providers/egress/head-guard.ts", at("dispatchers"), [
    ["a queued request", "this.#confirm();", "", "queued request|tries again|HTTP/2"],
    ["redirects of a dispatcher's", "assertFirstHop(context);", "", "follows redirects"],
    ["no time-outs of undici's", "headersTimeout: 0, bodyTimeout: 0", "", "time-out of undici's"],
    [
      "options without a prototype",
      "Object.assign(new SentOptions(), options",
      "Object.assign({}, options",
      "inherit nothing",
    ],
    ["undici 8", ', "onRequestStart"]', "]", "way onRequestStart"],
    ["undici 7", '["onConnect", ', "[", "way onConnect|queued request"],
    ["a runtime that says nothing", "if (!isGuarded) throw cannotGuard();", "", "does not say"],
    ["an end before the connection", "if (this.#ended !== undefined) throw this.#ended;", "", "waits for it"],
    ["an end of the connection", "if (this.#control !== undefined) abort(", "if (false) abort(", "waits for it"],
  ]),
  ...guardsOf("providers/egress/runtime-dispatcher.ts", at("dispatchers"), [
    [
      "the application's dispatcher",
      "if (set !== undefined) return set;",
      "if (set !== undefined) return Object.assign(Object.create(set), { dispatch: () => true });",
      "mock answers",
    ],
    ["no proxy to loopback", "loopback.test(url) ?", "false ?", "is gone round"],
  ]),
  ...guardsOf("providers/egress/aim.ts", at("aim"), [
    ["dot segments", "if (hasDotSegment(url)) throw", "if (false) throw", "with a segment"],
    [
      "dot segments in disguise",
      'const seen = url.replace(unseen, "");',
      "const seen = url;",
      '(openai|resend).*segment "(\\.\\\\t\\.|\\\\n\\.\\.|\\.\\.\\\\r)"',
    ],
    ["encoded dot segments", "(?:\\.|%2e)", "(?:\\.)", 'openai.*segment "%2e%2e"'],
    [
      "no other host",
      "if (!isUnder(aimed, new URL(base).origin)) throw",
      "if (false) throw",
      "to (another host|another port|plain HTTP|its host as path|a blob) is refused",
    ],
    [
      "a host by its whole name",
      '&& (url.length === base.length || "/?#".includes(url.charAt(base.length)))',
      "",
      "begins like its own",
    ],
    [
      "regions",
      "const known = [before[transport], ...this.#known[transport]]",
      "const known = [before[transport]]",
      "gets what was meant for any other",
    ],
    [
      "hosts beside the default in its region only",
      "const isDefault = base === this.#default[transport];",
      "const isDefault = true;",
      "voice agents' host",
    ],
    ["hosts beside the default", "if (isDefault && this.#own", "if (false && this.#own", "voice agents' host"],
  ]),
  ...guardsOf("providers/egress/request-headers.ts", at("request-headers"), [
    [
      "an allow list",
      "if (this.allows(name)) headers[name] = value;",
      "headers[name] = value;",
      "carries the key and no other|in a Request",
    ],
    [
      "the key's own header",
      "this.show(serving)) headers[name] = value;",
      "this.show(serving).slice(1)) headers[name] = value;",
      "carries the key and no other|in OPENAI_CUSTOM",
    ],
    [
      "whole names",
      "this.#names.has(name) ||",
      "[...this.#names].some((one) => name.startsWith(one)) ||",
      "openai.*given",
    ],
  ]),
  ...guardsOf("providers/egress/guarded-response.ts", at("answers"), [
    ["header values", "isEchoed = scrubber !== undefined &&", "isEchoed = false &&", "(deepgram|resend).*in a header"],
    [
      "answers of no type",
      "isBinary = binary.test(",
      "isBinary = !/json|text/u.test(",
      "through (openai|xai) .*200 of no type",
    ],
  ]),
  ...guardsOf("providers/egress/guarded-response.ts", at("bodies"), [
    ["texts", "isBinary ? {", "true ? {", "in every way"],
  ]),
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is how the source is written.
  ...guardsOf("providers/egress/key-scrubber.ts", at("answers"), [
    ["JSON's escapes", "u00${code}|", "x00${code}|", "through (openai|deepgram) .*(escaped for JSON|here and there)"],
    ["escapes within escapes", "\\\\\\\\{1,3}u00", "\\\\\\\\{1,1}u00", "through a stream of openai.*in another"],
    ["percent-encodings", "`(?:%(?:25)?${code}|", "`(?:", "through (openai|deepgram) .*percent-encoded"],
  ]),
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above.
  ...guardsOf("providers/egress/key-scrubber.ts", at("bodies"), [
    [
      "what may be a beginning",
      "if (text.length - at < longestSpelling && beginning.test(text.slice(at))) return true;",
      "",
      "found wherever",
    ],
  ]),
  ...guardsOf("providers/egress/read-body.ts", at("whole-reads"), [
    ["a limit of whole reads", "if (expired !== undefined) throw expired;", "", "when it stalls"],
    ["a limit of each chunk and no other", "timer.refresh();", "", "longer than one chunk"],
    ["whole answers that break off", "throw toFailure(error);", "throw error;", "when it breaks off"],
    [
      "bodies that stay locked",
      "clearTimeout(timer);",
      "clearTimeout(timer);\n    reader.releaseLock();",
      "a locked stream",
    ],
  ]),
  ...guardsOf("providers/egress/read-scrubbed.ts", at("whole-reads"), [
    [
      "whole texts",
      "return options.scrubber?.scrub(text) ?? text;",
      "return text;",
      "by (text|json).*without the key,",
    ],
    [
      "whole bytes",
      "return scrubbed === text ? bytes : fromLatin1(scrubbed);",
      "return bytes;",
      "by (arrayBuffer|bytes).*without the key,",
    ],
  ]),
  ...guardsOf("providers/egress/guarded-response.ts", at("whole-reads"), [
    ["bodies that are read once", " && !this.#answer.bodyUsed", "", "a locked stream"],
    ["streams that were asked for", "return this.#carrier === undefined && ", "return ", "asked for before"],
    [
      "members of a Response's",
      "Object.setPrototypeOf(GuardedResponse.prototype, Response.prototype);",
      "",
      "everything that a Response has",
    ],
  ]),
  ...guardsOf("providers/egress/fetch-failure.ts", at("whole-reads"), [
    ["a caller's own reason", "|| signal?.aborted === true) return error;", ") return error;", "when it is aborted"],
  ]),
  ...guardsOf("providers/egress/guarded-body.ts", at("bodies"), [
    ["what is held back in the end", "return fromLatin1(this.#held);", 'return fromLatin1("");', "none after all"],
    ["a limit of each read", "await readWithin(reader, limitMs, expiry)", "await reader.read()", "that stalls"],
  ]),
  ...guardsOf("providers/egress/fetch-failure.ts", at("bodies"), [
    ["answers that break off", "return isByokError(cause) ? cause : explain();", "return error;", "that breaks off"],
    ["a reader's own reason", "|| signal?.aborted === true) return error;", ") return error;", "gives up"],
  ]),
  ...guardsOf("providers/egress/fetch-failure.ts", at("failures"), [
    [
      "what byokit says of a failure",
      "const shown = new Error(scrubber.scrub(message), { cause: explain() });",
      "const shown = new Error(scrubber.scrub(message));",
      "provider_failed",
    ],
  ]),
  ...guardsOf("byok-error-of.ts", at("failures"), [
    ["own properties", "Object.hasOwn(value, name) ?", "true ?", "finds nothing"],
    ["an end to causes", "|| depth > maxDepth", "", "finds nothing"],
    [
      "refusals that travel as answers",
      "if (isAnswered(value)) return restore(value);",
      "",
      "what openai.*newest throws.*is (key_revoked|host_refused)",
    ],
  ]),
  ...guardsOf("providers/openai-sdk/openai-client.ts", at("failures"), [
    [
      "a refusal as an answer",
      "if (!isByokError(error)) throw error;",
      "throw error;",
      "what openai.*newest throws.*is (key_revoked|store_unavailable)",
    ],
  ]),
  ...guardsOf("providers/resend.ts", at("failures"), [
    [
      "what byokit says, in Resend's shape",
      'Object.defineProperty(shown, "cause", { value: cause })',
      "shown",
      "what resend, newest throws.*is (key_revoked|host_refused|provider_failed)",
    ],
    [
      "the slot's way",
      'Object.defineProperty(client, "fetchRequest"',
      'Object.defineProperty(client, "fetchRequested"',
      "of an older release",
    ],
    [
      "no name of the platform's",
      'if (headers instanceof Headers) headers.set("user-agent", userAgent);',
      "",
      "of an older release",
    ],
    [
      "a status without JSON",
      'return { name: "application_error", statusCode,',
      'return { name: "application_error", statusCode: null,',
      "status of an answer",
    ],
  ]),
  ...guardsOf("providers/egress/fetch-attempt.ts", at("whole-reads"), [
    [
      "options of each attempt",
      "await globalThis.fetch(url, init as unknown as RequestInit);\n",
      "await (async () => {\n        const answer = globalThis.fetch(url, init as unknown as RequestInit);\n        init.headers = undefined;\n        return await answer;\n      })();\n",
      "wrapped by a function that waits",
    ],
  ]),
  ...guardsOf("providers/egress/read-body.ts", at("whole-reads"), [
    ["chunks that share their memory", "first?.length === size && first.buffer", "first?.buffer", "share their memory"],
  ]),
  ...guardsOf("providers/egress/guarded-response.ts", at("whole-reads"), [
    ["a type without the key", "scrubber?.scrub(type) ?? type", "type", "Blob's type"],
  ]),
  ...guardsOf("providers/http/answer-failures.ts", at("failures"), [
    [
      "failures of a client's own fetch",
      "if (failures.has(answer)) throw failures.get(answer);",
      "",
      "own fetch\\(\\).*newest",
    ],
  ]),
  ...guardsOf("providers/egress/slot-fetch.ts", at("pollution"), [
    ["an answer to data:", 'if (url.startsWith("data:"))', "if (false)", "is answered, and sends nothing"],
  ]),
  ...guardsOf("providers/egress/may-repeat.ts", at("bodies"), [
    [
      "repetitions where they may arrive",
      "return isHarmless || isSafe ||",
      "return true ||",
      "has a (message|call|batch) tried again",
    ],
  ]),
  ...guardsOf("providers/egress/may-repeat.ts", at("bodies"), [
    ["repetitions of what is safe", "|| isSafe ||", "||", "has a list of messages"],
  ]),
  ...guardsOf("providers/egress/may-repeat.ts", at("bodies"), [
    ["repetitions that are known again", '|| new Headers(headers).has("idempotency-key")', "", "knows again"],
  ]),
];
