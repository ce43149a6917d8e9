import { type Guard, guardsOf } from "./guard.ts";

/** Who may ask, what may be sent, and what is never shown. */
export const guardsOfTheApi: readonly Guard[] = [
  ...guardsOf("http/create-handler.ts", "http/handler.test.ts", [
    ["who asks", 'api.use("/byok/*", requirePrincipal(authenticate, principals));', "", "with null"],
    [
      "methods that are not there",
      "if (allow === undefined) return await next();",
      "return await next();",
      "there are",
    ],
    [
      "a preflight, which nobody sends",
      'context.req.method === "OPTIONS" && allow !== undefined',
      "false",
      "answer HEAD",
    ],
    ["no-store", 'if (!context.res.headers.has("cache-control")) context', "if (false) context", "are never"],
    [
      "errors that the operator is told of",
      "if (problem.status >= 500) tellOperator(problem.origin ?? error);",
      "",
      "503 while",
    ],
    ["slashes at the end of a path", "strict: false,", "", "with a slash"],
    ["nosniff", "forbidSniffing(await api.fetch(request))", "await api.fetch(request)", "with nosniff"],
    ["a base path that is one", "fits: isBasePath", "fits: () => true", "stand below"],
  ]),
  ...guardsOf("http/principal.ts", "http/handler.test.ts", [
    ["who may write", 'context.get("principal").canWrite !== true', "false", "every method"],
    ["no body for authenticate()", "new Request(url, { method, headers })", "context.req.raw", "method, URL"],
    [
      "an end to who asks",
      "within(systemClock, limitMs, askWhose(authenticate, request), expire)",
      "askWhose(authenticate, request)",
      "five seconds",
    ],
    ["nobody", "principal === null || principal === undefined", "false", "before anything"],
    [
      "a principal that is one",
      "if (isIdentifier(orgId) && isActor",
      "if (isActor",
      'whose request it is.*that is told as \\{"orgId":"","canWrite":true\\} is the platform\'s own fault: 500',
    ],
    [
      "an actor that is one",
      "actor === undefined || isIdentifier(actor)",
      "true",
      'whose request it is.*that is told as \\{"orgId":"org","actor":"","canWrite":true\\} is the platform\'s own fault: 500',
    ],
    [
      "a boolean for who may write",
      ' && typeof canWrite === "boolean"',
      "",
      'whose request it is.*that is told as \\{"orgId":"org"\\} is the platform\'s own fault: 500',
    ],
    [
      "a principal of its own",
      "return { orgId, canWrite, ...(actor === undefined ? {} : { actor }) };",
      "return arguments[0];",
      "told when",
    ],
  ]),
  ...guardsOf("http/principal.ts", "http/server/serve.test.ts", [
    ["whose a request is", "principals.set(context.req.raw, copy);", "", "logs whose"],
    ["a TRACE, of which no Request is made", 'given === "TRACE" ? "GET" : given', "given", "answers TRACE"],
  ]),
  ...guardsOf("http/request-body.ts", "http/handler.test.ts", [
    ["a body's size", "if (size > maxBytes) throw", "if (false) throw", "16 KiB"],
    [
      "a body's time",
      "await within(systemClock, limitMs, readChunks(reader), expire)",
      "await readChunks(reader)",
      "408",
    ],
    [
      "a body's type",
      'if (mediaType !== "application/json") {',
      "if (false) {",
      'a body.*of the type "text/plain" is 415',
    ],
    ["UTF-8", "{ fatal: true }", "{ fatal: false }", "broken UTF-8"],
    [
      "a body that a proxy dropped",
      'if (body === null) headers.delete("content-type");',
      "if (body === null) void 0;",
      "be missing",
    ],
  ]),
  ...guardsOf("http/describe-issues.ts", "http/handler.test.ts", [
    ["names that look like names", "keys.filter((name) => namePattern.test(name))", "keys", "unknown fields"],
  ]),
  ...guardsOf("http/key-routes.ts", "http/handler.test.ts", [
    ["fields that are known", ".strictObject({ provider, api_key", ".object({ provider, api_key", "its unknown"],
    ["one provider", "if (inQuery === undefined || inQuery === id) return id;", "return id;", "be missing"],
    [
      "the actor of a change",
      "...(actor === undefined ? {} : { actor }),\n        ...(idempotencyKey",
      "...(idempotencyKey",
      "has details",
    ],
  ]),
  ...guardsOf("http/request-problem.ts", "http/handler.test.ts", [
    ["Retry-After", "if (status === 503) return", "if (false) return", "503 while"],
    ["a wait that is the check's own", "if (status === 429) return", "if (false) return", "429 with Retry-After"],
    [
      "a wait that is not over early",
      "Math.ceil(retryAfterMs / 1_000)",
      "Math.floor(retryAfterMs / 1_000)",
      "429 with",
    ],
    ["a wait of a second at least", "Math.max(1, ", "Math.max(0, ", "a second at least"],
    ["a limit that is worth another try", "this.status === 429 || ", "", "429 with Retry-After"],
    [
      "no word of what failed",
      '"The service failed. Tell its operator, with the time of the request."',
      "String(error)",
      "byokit itself",
    ],
    ["nothing of the database", "answer.detail ?? message", "message", "says nothing"],
    ["codes of another copy", "answer === undefined || ", "", "another copy"],
  ]),
  ...guardsOf("http/problem.ts", "http/handler.test.ts", [
    [
      "a limit that is no fault",
      "checks_limited: { status: 429, detail: null }",
      'checks_limited: "internal"',
      "429 with Retry-After",
    ],
  ]),
  ...guardsOf("http/server/bearer-tokens.ts", "http/server/serve.test.ts", [
    ["tokens by their hash", "if (timingSafeEqual(hash, presented)) found", "if (true) found", "are known"],
    ["tokens that have expired", "nowMs < endsAtMs ? principal : null", "principal", "have expired"],
    ["tokens of a bearer", "/^Bearer +(?<token>", "/(?<token>", "known by their hash"],
    ["who may write", "canWrite: z.boolean()", "canWrite: z.boolean().exactOptional()", "say whether they may write"],
    [
      "a file that is one",
      "if (parsed.success) return parsed.data.tokens;",
      'return (json as never)["tokens"];',
      "say whether",
    ],
  ]),
  ...guardsOf("http/server/serve.ts", "http/server/serve.test.ts", [
    ["the organisation that is logged", "...(orgId === undefined ? {} : { orgId }),", "", "logs whose"],
    ["the actor that is logged", "...(actor === undefined ? {} : { actor }),", "", "logs whose"],
    ["paths that are logged", 'loggedPaths.get(path) ?? "other"', "path", "are, without"],
    [
      "ids of its own",
      "const requestId = randomUUID();",
      'const requestId = request.headers.get("x-request-id") ?? randomUUID();',
      "lets requests",
    ],
    [
      "an end to requests that have none",
      "await connections.close(shutdownMs);",
      "await connections.close(100_000);",
      "by itself",
    ],
    ["loopback", 'host = "127.0.0.1", port', 'host = "0.0.0.0", port', "listens on"],
  ]),
  ...guardsOf("http/server/readiness.ts", "http/server/serve.test.ts", [
    ["few checks", "!this.#isUnderWay && nowMs - this.#checkedAtMs >= keepMs", "true", "alive whatever"],
    ["a check that fails", "return false;\n    } finally", "return true;\n    } finally", "alive whatever"],
    [
      "a check that does not end",
      "await within(systemClock, limitMs, this.#checking, expire)",
      "await this.#checking",
      "never answers",
    ],
  ]),
  ...guardsOf("http/server/connections.ts", "http/server/serve.test.ts", [
    ["connections without a request", "if (owed.size === 0) socket.destroy();", "void socket;", "without a request"],
    ["requests under way", "if (owed.size === 0) socket.destroy();", "socket.destroy();", "under way end"],
  ]),
];
