import { type Guard, guardsOf } from "./guard.ts";

const below = (file: string): string => `testing/provider-doubles/${file}`;

/** Of the doubles that stand in the providers' place. */
export const guardsOfTheDoubles: readonly Guard[] = [
  ...guardsOf(below("key-ring.ts"), "testing/deepgram-double.test.ts", [
    [
      "a wrong key at Deepgram's double",
      "if (grant === undefined) return wrongKey;",
      "if (grant === undefined) return undefined;",
      "at the handshake of|by POST",
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
    ["what a client secret opens", "tokens?.open.test(path)", "tokens", "as long as its key is accepted, and nothing"],
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
      "&& this.#keyRing.shown(request.headers) === null",
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
  ]),
  ...guardsOf(below("deepgram-wire.ts"), "testing/deepgram-double.test.ts", [
    ["an unknown encoding", "|| encodings.includes(encoding)", "|| true", "with an unknown encoding, is refused"],
  ]),
  ...guardsOf(below("deepgram-flux-socket.ts"), "testing/deepgram-double.test.ts", [
    ["a turn that is ended by hand", "end < 1 && ", "", "leaves the end of a turn to ForceEndTurn"],
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
