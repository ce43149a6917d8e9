import { type Guard, guardsOf } from "./guard.ts";

const below = (file: string): string => `testing/provider-doubles/${file}`;

/** Of the doubles that stand in the providers' place. */
export const guardsOfTheDoubles: readonly Guard[] = [
  ...guardsOf(below("key-ring.ts"), "testing/deepgram-double.test.ts", [
    [
      "a wrong key at Deepgram's double",
      "if (grant === undefined) return wrongKey;",
      "if (grant === undefined) return undefined;",
      "at the handshake of|by POST|a wrong key as a subprotocol",
    ],
    [
      "a key and a token, each by its scheme",
      "inProtocol?.as.includes(as) ?",
      "inProtocol ?",
      "each by its own scheme",
    ],
    [
      "a token of a key that is gone",
      "const grant = this.keys.get(",
      "const grant = [...this.keys.values()].at(0) ?? this.keys.get(",
      "a granted token opens",
    ],
  ]),
  ...guardsOf(below("key-ring.ts"), "testing/openai-double.test.ts", [
    [
      "a wrong key at the doubles of OpenAI and xAI",
      "if (grant === undefined) return wrongKey;",
      "if (grant === undefined) return undefined;",
      "a wrong key by|refuses a wrong key",
    ],
    [
      "what a client secret opens",
      "tokens?.open.test(showing.path)",
      "tokens",
      "as long as its key is accepted, and nothing",
    ],
  ]),
  ...guardsOf(below("key-ring.ts"), "testing/responses-socket.test.ts", [
    [
      "a wrong key at the sockets of responses",
      "if (grant === undefined) return wrongKey;",
      "if (grant === undefined) return undefined;",
      "a wrong key by a socket is refused",
    ],
    [
      "an account of several keys",
      "this.#accounts.of(key, this.keys.get(key)?.account)",
      "this.#accounts.of(key, undefined)",
      "are continued by the account|continued on any socket of the account",
    ],
  ]),
  ...guardsOf(below("account.ts"), "testing/responses-socket.test.ts", [
    [
      "accounts that are apart",
      "name === undefined ? { key } : { name }",
      "{}",
      "are continued by the account|continued on any socket of the account|its last thousand",
    ],
    [
      "how much an account remembers",
      "new LRUCache({ max: maxThings });\n  readonly voices",
      "new LRUCache({ max: 9_999 });\n  readonly voices",
      "its last thousand",
    ],
  ]),
  ...guardsOf(below("openai-responses.ts"), "testing/responses-socket.test.ts", [
    [
      "a response that nobody knows",
      "responses.has(previous)",
      "true",
      "are continued by the account|are not continued where|by the socket that made them|whose next turn failed|continued on any socket",
    ],
    ["a socket's response that is not stored", "previous === held || ", "", "by the socket that made them"],
    [
      "a socket whose turn failed",
      'if (request["previous_response_id"] === held) held = undefined;',
      "",
      "whose next turn failed",
    ],
  ]),
  ...guardsOf(below("key-ring.ts"), "testing/realtime-double.test.ts", [
    [
      "a wrong key in a subprotocol",
      "if (grant === undefined) return wrongKey;",
      "if (grant === undefined) return undefined;",
      "whose key is gone, as a subprotocol|in vain where|and no key",
    ],
    [
      "a header before a subprotocol",
      'const key = this.#double.keyOf(showing.headers) ?? offered("key");',
      'const key = offered("key") ?? this.#double.keyOf(showing.headers);',
      "in vain where",
    ],
    ["a subprotocol of a request", 'kind === "websocket" && protocols?.open', "protocols?.open", "in vain where"],
    ["the paths of a subprotocol", "protocols?.open.test(path) ?", "protocols ?", "in vain where"],
    ["a key where a secret belongs", "inProtocol?.as.includes(as) ?", "inProtocol ?", "and no key"],
  ]),
  ...guardsOf(below("double-server.ts"), "testing/realtime-double.test.ts", [
    [
      "a credential that is chosen as a subprotocol",
      "[...offered].find((one) => !isCredential(one)) ?? ",
      "",
      "which is not the one that is chosen",
    ],
  ]),
  ...guardsOf(below("realtime-session.ts"), "testing/realtime-double.test.ts", [
    [
      "a turn that is not answered",
      "answers !== false && !this.#isTranscription",
      "answers",
      "answers nothing by itself",
    ],
    ["a turn that is not detected", "if (detection === null) continue;", "", "answers nothing by itself"],
  ]),
  ...guardsOf(below("key-ring.ts"), "testing/xai-double.test.ts", [
    [
      "a wrong key at xAI's voices and speech",
      "if (grant === undefined) return wrongKey;",
      "if (grant === undefined) return undefined;",
      "a wrong key by|refuses a wrong key",
    ],
  ]),
  ...guardsOf(below("xai-voices.ts"), "testing/xai-double.test.ts", [
    ["another team's voice", "|| voices.has(id)", "|| true", "speak for their team|an unknown voice"],
  ]),
  ...guardsOf(below("xai-speech.ts"), "testing/xai-double.test.ts", [
    [
      "what a speech socket refuses",
      'if (typeof language !== "string" || language === "") ',
      "if (Boolean()) ",
      "no language",
    ],
  ]),
  ...guardsOf(below("key-ring.ts"), "testing/elevenlabs-double.test.ts", [
    [
      "a wrong key at ElevenLabs' double",
      "if (grant === undefined) return wrongKey;",
      "if (grant === undefined) return undefined;",
      "wrong key",
    ],
  ]),
  ...guardsOf(below("double-server.ts"), "testing/deepgram-double.test.ts", [
    [
      "a wrong key where none is needed",
      "&& this.#keyRing.shown(showing) === null",
      "",
      "public models are listed without a key",
    ],
  ]),
  ...guardsOf(below("deepgram-live-socket.ts"), "testing/deepgram-double.test.ts", [
    [
      "a pause that ends a turn",
      "hearing.pauseMs >= this.#endpointingMs",
      "hearing.pauseMs > 0",
      "ends no turn before",
    ],
    ["events that nobody asked for", "&& this.#vadEvents", "", "to those who asked"],
    [
      "interim results that nobody asked for",
      'query.get("interim_results") === "true"',
      'query.get("interim_results") !== "false"',
      "only where they are asked for: ``",
    ],
    ["audio without pauses", "if (this.#isOpaque && ", "if (Boolean() && ", "audio without pauses"],
  ]),
  ...guardsOf(below("deepgram-wire.ts"), "testing/deepgram-double.test.ts", [
    ["an unknown encoding", "|| encodings.includes(encoding)", "|| true", "with an unknown encoding, is refused"],
  ]),
  ...guardsOf(below("deepgram-flux-socket.ts"), "testing/deepgram-double.test.ts", [
    ["a turn that is ended by hand", "end < 1 && ", "", "leaves the end of a turn to ForceEndTurn"],
  ]),
  ...guardsOf(below("elevenlabs-transcription-socket.ts"), "testing/elevenlabs-double.test.ts", [
    [
      "a transcript's language",
      '"include_timestamps", "include_language_detection"',
      '"include_timestamps"',
      "include_language_detection",
    ],
  ]),
  ...guardsOf(below("elevenlabs-wire.ts"), "testing/elevenlabs-double.test.ts", [
    ["a word that may go on", "this.#text.search(/\\S*$/u)", "this.#text.length", "keeps a word that may go on"],
  ]),
  ...guardsOf(below("openai-wire.ts"), "testing/openai-double.test.ts", [
    ["a tool that may not be called", 'wanted === "none" ? undefined : ', "", "and none where none may be"],
  ]),
  ...guardsOf(below("faults.ts"), "testing/double-faults.test.ts", [
    ["the request that a fault begins with", "this.#met > after && ", "", "begins with the request"],
    ["how long a fault lasts", " && this.#met <= after + times", "", "lasts as long"],
    ["the key that a fault is for", "(key === undefined || key === shown)", "true", "or for one key"],
    ["a fault that has ended", "this.#active.delete(active);", "", "and ends when it is ended"],
  ]),
  ...guardsOf(below("double-server.ts"), "testing/double-faults.test.ts", [
    [
      "a wrong key in a fault",
      "refusal === undefined ? this.#faults.meet(this.#arrival(",
      "refusal !== null ? this.#faults.meet(this.#arrival(",
      "leaves a wrong key to be refused",
    ],
    ["an open socket whose fault ended", "socket.forget(active.fault);", "void socket;", "is left alone once"],
    ["open sockets that are refused", ' || "openRefusal" in fault', "", "/responses, has words of its own"],
    ["open sockets that are dropped", "socket.cut();", "void socket;", "cuts the sockets that are open"],
  ]),
  ...guardsOf(below("faults.ts"), "testing/double-faults.test.ts", [
    [
      "a fault of sockets",
      'this.#isOfSockets = "frame" in fault || "openRefusal" in fault;',
      "this.#isOfSockets = false;",
      "is not counted by a refusal",
    ],
  ]),
  ...guardsOf(below("faulty-answer.ts"), "testing/double-faults.test.ts", [
    [
      "an answer's pace",
      "else if (paceMs !== undefined) paceAnswer(response, paceMs);",
      "",
      "keeps its second piece back",
    ],
  ]),
  ...guardsOf(below("fault.ts"), "testing/double-faults.test.ts", [
    [
      "one way to fail",
      "if (given.length === 1) return;",
      "if (given.length < 9) return;",
      "has to say one way to fail",
    ],
  ]),
];
