import { type Guard, guardsOf } from "./guard.ts";

/** Of what leaves over sockets, and of what comes back. */
export const guardsOfTheSockets: readonly Guard[] = [
  ...guardsOf("providers/egress/answer-mask.ts", "providers/egress/answer-mask.test.ts", [
    [
      "a key across chunks",
      "const isHeld = beginning >= Math.min(minHeld, key.length / 2);",
      "const isHeld = false;",
      "chunks of (?:11|16|29) ",
    ],
    ["a key whose first letters are out", "this.#passed = copy(bytes, from, end);", "", "chunks of (?:3|7) "],
    ["short beginnings at once", "const minHeld = 8;", "const minHeld = 1;", "holds nothing back"],
    ["texts that are no keys", "if (key.length < minLength) return chunk;", "", "three characters"],
  ]),
  ...guardsOf("providers/egress/slot-connection.ts", "providers/egress/slot-agent.test.ts", [
    [
      "an end of both",
      'else socket.once("close", () => done(error)).destroy();',
      "else done(error);",
      "is watched as long",
    ],
    [
      "a body in its own encoding",
      "[{ chunk: body, encoding }, ...more]",
      '[{ chunk: body, encoding: "latin1" }, ...more]',
      "beyond Latin-1",
    ],
    ["all of what is written at once", "[{ chunk: body, encoding }, ...more]", "[{ chunk: body, encoding }]", "corked"],
  ]),
  ...guardsOf("providers/egress/agent-exchange.ts", "providers/egress/slot-agent.test.ts", [
    [
      "a key that comes back",
      "this.#receive(this.#mask?.mask(bytes) ?? bytes);",
      "this.#receive(bytes);",
      "has no key in it",
    ],
    [
      "what was held back at the end",
      "if (rest !== undefined && rest.length > 0) this.#receive(rest);",
      "if (rest !== undefined && rest.length > 0) this.onBytes(rest);",
      "ends in what may begin a key",
    ],
    [
      "answers that take their time",
      "if (!this.#asked.isUpgrade) this.#asked.opening.answered();",
      "",
      "once an answer has begun",
    ],
    [
      "watching that ends",
      'socket.once("close", this.#options.supply.holdSocket(serving, end));',
      "this.#options.supply.holdSocket(serving, end);",
      "watched as long",
    ],
    [
      "sockets that are held",
      "const end = (why: Error): void => void this.#connection.destroy(why);",
      "const end = (): void => {};",
      "closed with the reason",
    ],
    [
      "what a request ran on",
      "if (this.#sent !== undefined) this.#options.supply.onRequest(this.#sent);",
      "",
      "told of with its status",
    ],
  ]),
  ...guardsOf("providers/egress/request-head.ts", "providers/egress/slot-agent.test.ts", [
    [
      "headers of others",
      "return transportHeaders.has(name) || headerRules.allows(name) ? [line] : [];",
      "return [line];",
      "somebody else's credential",
    ],
    ["answers that are not compressed", "name === compressing || ", "", "somebody else's credential"],
    ["placeholders in a head", " || line.includes(placeholderPrefix)", "", "or a placeholder"],
    ["the host's own name", "`Host: $" + "{url.host}`,", "", "goes to an IPv6|arrives as it was written"],
  ]),
  ...guardsOf("providers/egress/request-head.ts", "providers/egress/slot-websocket.test.ts", [
    [
      "nothing compressed",
      '"sec-websocket-version",',
      '"sec-websocket-version", "sec-websocket-extensions",',
      "offers no compression",
    ],
  ]),
  ...guardsOf("providers/egress/foreign-credentials.ts", "providers/egress/slot-agent.test.ts", [
    ["credentials in a query", "!parameter.test(decodeName(part)) && ", "", "somebody else's credential"],
    ["placeholders in a query", " && !part.includes(placeholderPrefix)", "", "or a placeholder"],
  ]),
  ...guardsOf("providers/egress/foreign-credentials.ts", "providers/egress/slot-websocket.test.ts", [
    [
      "credentials before which a word stands",
      'return !isCredential && !protocolBefore.test(protocols[index - 1] ?? "");',
      "return !isCredential;",
      "nothing but a credential",
    ],
    [
      "subprotocols that name an account",
      "const isCredential = protocol.test(one) || ",
      "const isCredential = ",
      "keeps subprotocols",
    ],
  ]),
  ...guardsOf("providers/egress/slot-agent.ts", "providers/egress/slot-agent.test.ts", [
    [
      "one request a connection",
      "for (const [name, value] of Object.entries(fixed))",
      "for (const [name, value] of [] as [string, unknown][])",
      "connection of its own",
    ],
    ["whose request it was", "(error: Error) => created(failures.place(error)),", "created,", "says whose request"],
    [
      "no limit of 0",
      "options.timeout || requestTimeoutMs, requestTimeoutMs",
      "options.timeout ?? requestTimeoutMs, requestTimeoutMs",
      "a limit of 0",
    ],
  ]),
  {
    name: "the key of the turn in which a head leaves",
    file: "providers/egress/departure.ts",
    find: "return this.#decide(write)?.catch(rethrow);",
    replace: 'return write(Reflect.get(this, "kept") as ServingKey);',
    also: {
      find: "this.#aimed = this.#toUrl(serving ?? supply.peek() ?? (await supply.decide(this.#signal)));",
      replace:
        'const kept = serving ?? supply.peek() ?? (await supply.decide(this.#signal));\n    Reflect.set(this, "kept", kept);\n    this.#aimed = this.#toUrl(kept);',
    },
    test: "providers/egress/slot-agent.test.ts",
    only: "newer one in the head|not sent once it is removed|while TLS is under way",
  },
  ...guardsOf("providers/egress/departure.ts", "providers/egress/slot-agent.test.ts", [
    ["a host that was not connected to", "to.origin !== this.#aimed?.origin || ", "", "no host but its own"],
    [
      "a read before the head",
      "return now === undefined || !supply.mayLeave(now, this.#asked) ? this.#decideAnew(write) : write(now);",
      "if (now === undefined) throw this.#options.failures.moved();\n    return write(now);",
      "is read anew",
    ],
  ]),
  ...guardsOf("providers/egress/limit-opening.ts", "providers/egress/slot-agent.test.ts", [
    ["a limit of the whole opening", "request.destroy(why);", "", "after the head|half a head"],
    ["a limit of TLS", "opening.abort(why);", "", "during TLS"],
  ]),
  ...guardsOf("providers/egress/open-socket.ts", "providers/egress/slot-agent.test.ts", [
    [
      "options of Node that nobody gave",
      "connectPlainly(Object.assign(Object.create(null), { host, port, noDelay: true }))",
      "connectPlainly({ host, port, noDelay: true })",
      "goes nowhere else",
    ],
  ]),
  ...guardsOf("providers/egress/open-socket.ts", "providers/egress/egress-proxy.test.ts", [
    ["loopback without a proxy", "proxy === undefined || loopback.test(host)", "proxy === undefined", "reach loopback"],
    [
      "a proxy's failure as its own",
      "throw signal.aborted ? error : proxy.unreachable(error);",
      "throw error;",
      "is not there",
    ],
  ]),
  ...guardsOf("providers/egress/egress-proxy.ts", "providers/egress/egress-proxy.test.ts", [
    ["a proxy's refusal", "status >= 200 && status <= 299 && end >= 0", "end >= 0", "answers.*(?:407|403|502|SSH)"],
    ["nothing before TLS", "end + headEnd.length === head.length", "true", "and more"],
    ["answers without an end", "head.length <= maxHead", "true", "without an end"],
    ["a URL of a host", 'url.pathname === "/" && !url.search', "true", "path|a=1"],
    ["its password", 'url.password = "";', "", "shown by nothing"],
  ]),
  ...guardsOf("providers/egress/slot-websocket.ts", "providers/egress/slot-websocket.test.ts", [
    [
      "a constructor that never throws",
      "} catch {\n        super(",
      "} catch (error) {\n        throw error;\n        super(",
      "without a text|none can be|twice|there is not",
    ],
    ["sockets that nobody listens to", 'this.on("error", () => {});', "", "nobody listens"],
    ["the reason of an end", "if (isByokError(error)) socket.emit", "if (false) socket.emit", "tells why it is closed"],
    ["redirects", "followRedirects: false,", "", "follows no redirect"],
    ["dot segments", " || hasDotSegment(text)", "", "dot segments"],
    ["hooks of the library", "agent,\n        // Of", "// Of", "opens with the key"],
  ]),
  ...guardsOf("providers/egress/slot-websocket.ts", "providers/egress/sdk-sockets.test.ts", [
    ["agents of the caller's", '"CONNECTING" in parent', "false", "agent of the caller's"],
  ]),
  ...guardsOf("providers/deepgram-sockets.ts", "providers/egress/sdk-sockets.test.ts", [
    ["why a socket of Deepgram's fails", "isCaused ? Object", "false ? Object", "is told as byokit's"],
    ["texts that are no JSON", "|| isJson(values[0])", "|| true", "sends a text that is no JSON"],
    ["listeners that are taken off", "telling.set(listener, found);", "", "newest.*listener that is taken off"],
  ]),
  ...guardsOf("providers/deepgram-sockets.ts", "providers/egress/sdk-sockets.test.ts", [
    [
      "Deepgram's sockets in every version",
      "if (options === undefined) return opened;",
      "return opened;",
      "agent of the caller's",
    ],
  ]),
  ...guardsOf("providers/deepgram.ts", "providers/egress/sdk-sockets.test.ts", [
    ["a polluted base URL", "baseUrl: undefined as never,", "", "with `baseUrl`"],
  ]),
  ...guardsOf("providers/elevenlabs.ts", "providers/egress/sdk-sockets.test.ts", [
    ["frames that are no objects", "isObject(frame) ? listener(frame)", "true ? listener(frame)", "sends a frame"],
    [
      "errors that nobody listens to",
      "connection.on(RealtimeEvents.ERROR, () => {});",
      "",
      "nobody listens: the process",
    ],
    ["inbound calls", "engine._options = { ...engine._options, apiKey };", "", "verifies what calls in"],
  ]),
  ...guardsOf("resolver/held-sockets.ts", "resolver/held-sockets.test.ts", [
    ["a grace", "this.#graceMs === 0", "true", "has its grace"],
    ["one end for each", " || socket.timer !== undefined", "", "ends with the last"],
    ["graces that end with their sockets", "this.#open.get(close)?.timer?.cancel();", "", "ends with the last"],
    ["watching that ends with the last", "if (this.#open.size > 0) return;", "", "ends with the last"],
    ["sockets of the platform's", 'socket.serving.source !== "byok" || ', "", "on the platform's key"],
    ["sockets of a removed key", "this.#open.set(close, { serving, timer: undefined });", "", "says why|has its grace"],
  ]),
  ...guardsOf("providers/openai-sdk/openai-realtime.ts", "providers/egress/sdk-sockets.test.ts", [
    ["why a session ends", "tellWhyItEnds(socket.socket);", "", "tells why it is closed"],
    ["a signal", 'signal?.addEventListener("abort", abort, { once: true });', "", "ends with its signal"],
    ["first events", "connection.pause();", "", "says first"],
    ["refusals of byokit's", "isByokError(error) ? error : ", "", "passes byokit's own|is request_timeout"],
  ]),
  ...guardsOf("providers/egress/explain-handshake.ts", "providers/egress/slot-websocket.test.ts", [
    [
      "a refusal's words",
      "refusals === undefined ? undefined : ",
      "true ? undefined : ",
      "insufficient_quota|Incorrect API",
    ],
    [
      "an end to reading a refusal",
      "setTimeout(() => response.destroy(), maxReadMs)",
      "setTimeout(() => {}, 1)",
      "does not come",
    ],
    ["refusals of what was asked for", "retryable: false }", "}", "model_not_found"],
  ]),
  ...guardsOf("providers/egress/slot-websocket.ts", "providers/egress/slot-websocket.test.ts", [
    [
      "why a socket is refused",
      "whyRefused.set(this, await way.explainHandshake(answer));",
      "",
      "that it is|follows no redirect",
    ],
  ]),
  ...guardsOf("providers/openai-sdk/openai-realtime.ts", "providers/egress/sdk-sockets.test.ts", [
    ["a pause of the caller's", 'Reflect.get(socket, "isPaused") === true || ', "", "stays paused"],
  ]),
  ...guardsOf("providers/egress/explain-handshake.ts", "providers/egress/slot-websocket.test.ts", [
    ["pages of somebody between", "isPage ?", "false ?", "<html>"],
  ]),
  ...guardsOf("providers/egress/frame-reader.ts", "providers/egress/frame-watch.test.ts", [
    [
      "heads that come in pieces",
      "this.#head = Buffer.from(head);",
      "",
      "is told where.*(?:no credits|no quota|wrong key)",
    ],
    [
      "what is compressed or masked",
      "(first & 0x70) !== 0 || second >= 0x80",
      "false",
      "what is (?:compressed|masked)",
    ],
    ["texts of any length", "if (this.#length <= maxText)", "if (true)", "no refusal where it is longer"],
    ["messages in pieces", "this.#opcode < 8 && this.#isFinal", "this.#opcode < 8", "is heard in pieces|with a ping"],
    ["controls in between", "this.#opcode < 8 && this.#isText", "this.#isText", "with a ping"],
  ]),
  ...guardsOf("providers/egress/frame-watch.ts", "providers/egress/frame-watch.test.ts", [
    ["one word of it", "this.#isRefused = true;", "", "is told once"],
    ["one word of a key that was taken", "this.#isTaken = true;", "", "is told once"],
    [
      "refusals in an end's reason",
      "toProviderAnswer(null, reason)",
      'toProviderAnswer(null, "")',
      "is told where.*the reason of an end,|is told where.*(?:deepgram|elevenlabs|xai), the reason",
    ],
    ["texts that are no JSON", "said.body === undefined ? undefined : ", "", "is no JSON"],
  ]),
  ...guardsOf("providers/refusals/judge-key.ts", "providers/egress/frame-watch.test.ts", [
    [
      "tables that throw",
      "} catch {\n    return undefined;",
      "} catch (error) {\n    throw error;",
      "anybody's throws",
    ],
  ]),
  ...guardsOf("providers/egress/answer-reader.ts", "providers/egress/answer-reader.test.ts", [
    ["announcements", "if (isInterim) {", "if (Date.now() === 0) {", "after an announcement"],
    [
      "an end to announcements",
      "this.#announced + this.#head.length",
      "this.#head.length",
      "announcements without an end",
    ],
    ["an end to a head", "this.#announced + this.#head.length > maxHead || ", "", "a head without an end"],
    ["an end to a body", "Math.min(maxBody, this.#wholeLength)", "this.#wholeLength", "a body without an end"],
    ["chunks", "this.#isChunked ? joinChunks(raw) : raw", "raw", "in chunks|in no chunks"],
    ["what is not HTTP", " || !mayBeHttp(this.#head)", "", "what is not HTTP goes"],
  ]),
  ...guardsOf("providers/egress/agent-exchange.ts", "providers/egress/repeated-handshakes.test.ts", [
    [
      "a handshake that is made again",
      "options.supply.replace !== undefined;",
      "false;",
      "one socket, of which nothing else|goes to the host of the key|but the agent|is given up after",
    ],
    [
      "an answer that is held back",
      "if (answer !== undefined && this.#asked.isUpgrade) this.#held",
      "if (false) this.#held",
      "one socket, of which nothing else",
    ],
    [
      "a refusal whose rest does not come",
      "this.#holding ??= setTimeout(",
      "this.#holding ??= Date.now() ? undefined : setTimeout(",
      "head without an end|word, and left open",
    ],
    ["three at most", "if (this.#refusals >= maxRefusals)", "if (this.#refusals >= 99)", "given up after the third"],
    [
      "an end that is known when its key is",
      "else void judged.then(() => this.#report());",
      "else this.#report();",
      "ended only when",
    ],
    [
      "refusals in what is not made again",
      "const judged = refusal && supply.onRefusal",
      "const judged = undefined && supply.onRefusal",
      "is not made again|ended only when",
    ],
    ["frames", "this.#frames = new FrameWatch(", "new FrameWatch(", "a refusal that comes on it"],
    ["frames beside a head", "this.#frames.read(rest);", "", "comes on it with its head"],
  ]),
  ...guardsOf("providers/egress/slot-connection.ts", "providers/egress/repeated-handshakes.test.ts", [
    ["backpressure", "&& !this.push(bytes)) this.#socket.pause();", ") this.push(bytes);", "waits while nobody reads"],
    [
      "sockets that were replaced",
      "this.#heard = undefined;\n    this.#socket.destroy();",
      "this.#socket.destroy();",
      "(?:in chunks|byte by byte|after an announcement) is made again",
    ],
  ]),
  ...guardsOf("byok-error-of.ts", "providers/egress/slot-websocket.test.ts", [
    ["events of sockets", "isEvents || ", "", "browsers' way why"],
  ]),
  ...guardsOf("providers/egress/departure.ts", "providers/egress/repeated-handshakes.test.ts", [
    [
      "what one account alone has",
      "if (standsInFor !== undefined && namesAccountState(vendor.accountState, { url })) {",
      "if (Date.now() === 0) {",
      "only the customer's account has",
    ],
  ]),
  ...guardsOf("providers/egress/slot-connection.ts", "providers/egress/repeated-handshakes.test.ts", [
    ["no end while it is replaced", "if (this.#replacing !== undefined) return;", "", "end in what may begin a key"],
  ]),
];
