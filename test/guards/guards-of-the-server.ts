import { type Guard, guardsOf } from "./guard.ts";

/** Of a server that is full, that closes, or that is asked in no HTTP. */
export const guardsOfTheServer: readonly Guard[] = [
  ...guardsOf("http/server/connections.ts", "http/server/connections.test.ts", [
    ["an end to what waits", "if (this.#owed.size > max) this.#makeRoom();", "", "refuse nobody|end one whose"],
    ["files that run out", "      this.#makeRoom();\n      onError(error);", "      onError(error);", "no more files"],
    [
      "what is sent behind a last answer",
      " || this.#ending.has(socket)) return",
      ") return",
      "behind the answer that is their last",
    ],
    ["work under way", "    this.#waiting.delete(socket);\n    // It has", "    // It has", "end none that"],
    [
      "clients that take no answer",
      'response.once("prefinish", () => this.#wait(socket));',
      "",
      "does not take its answer",
    ],
    [
      "the whole of an answer on its way",
      "NetServer.prototype.close.call(this.#server,",
      "this.#server.close(",
      "the whole of an answer",
    ],
  ]),
  ...guardsOf("http/server/connections.ts", "http/server/closing.test.ts", [
    [
      "the end of a connection, in its last answer",
      "if (last !== undefined && !last.headersSent) this.#endAfter(socket, last);",
      "",
      "at once tells each|sent behind a connection's last|the last one saying",
    ],
    ["the end of what is kept", 'if (this.#phase !== "open") this.#endAfter(socket, response);', "", "in its drain"],
    [
      "answers ahead of what is broken",
      "if (last === undefined || (owed.length === 1 && !last.req.complete)) return false;\n    this",
      "return false;\n    this",
      "is not answered",
    ],
  ]),
  ...guardsOf("http/server/serve.ts", "http/server/closing.test.ts", [
    ["not ready from the first moment", "readiness.drain();", "", "from the first moment"],
    ["a drain", "if (limitMs > 0) await sleep", "if (false) await sleep", "for as long as|from the first moment"],
    ["a host", "lacksHost(request) ?", "false ?", "\\(no host\\)"],
  ]),
  ...guardsOf("http/server/broken-requests.ts", "http/server/closing.test.ts", [
    [
      "headers of answers to what is no request",
      '"x-content-type-options": "nosniff" }',
      "}",
      "no HTTP\\)|headers without end|an expectation",
    ],
    ["what an answer is to", "if (connections.endWithOwed(socket)) return;", "", "is not answered"],
  ]),
  ...guardsOf("http/key-routes.ts", "http/documented-api.test.ts", [
    ["a key that tools do not show", "writeOnly: true,", "", "that linters ask"],
  ]),
  ...guardsOf("http/server/line-output.ts", "http/server/line-output.test.ts", [
    [
      "a bound on lines that nobody reads",
      "if (this.#stream.writableLength > maxWaiting) {",
      "if (false) {",
      "nobody reads",
    ],
    ["a word about dropped lines", "this.#tellOfDropped());", "undefined);", "nobody reads"],
    [
      "a reader that is gone",
      'if (error.code === "EPIPE" || stream.destroyed) this.#isClosed = true;',
      "",
      "whose reader has gone",
    ],
  ]),
  ...guardsOf("cli/token-watch.ts", "cli/token-watch.test.ts", [
    [
      "tokens that change",
      "if (underWay === undefined && next === undefined) void run(false);",
      "",
      "file is watched|times as they were",
    ],
    [
      "the last good tokens",
      "const tokens = parseTokens(now);",
      "authenticate = bearerTokens([]);\n      const tokens = parseTokens(now);",
      "half written|is empty|is malformed",
    ],
    [
      "a word about broken tokens",
      'logger.error({ detail }, "tokens kept as they were");',
      "void 0;",
      "last good tokens",
    ],
  ]),
  ...guardsOf("cli/token-file.ts", "cli/token-file.test.ts", [
    ["the rights of a file of tokens", "fchmodSync(file, mode & 0o777);", "", "keep the rights"],
    ["a link to nothing", "path = resolve(dirname(path), readlinkSync(path));", "return path;", "a link stays a link"],
    [
      "tokens that others may read",
      "if ((mode & 0o066) === 0) return undefined;",
      "return undefined;",
      "keep the rights",
    ],
    [
      "ids that are no part of a hash",
      ".update(`byokit token $" + '{sha256}`).digest("hex")',
      '.digest("hex") && sha256',
      "removed by its id",
    ],
  ]),
  ...guardsOf("cli/token-expiry.ts", "cli/token-expiry.test.ts", [
    ["an end that is to come", "atMs > nowMs && atMs", "atMs", 'cannot expire "2026-06-01'],
  ]),
];
