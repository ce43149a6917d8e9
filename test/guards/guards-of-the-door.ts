import { type Guard, guardsOf } from "./guard.ts";

/** Of wrong set-ups, which are neither outages nor the customer's fault. */
export const guardsOfTheDoor: readonly Guard[] = [
  ...guardsOf("cli/exit-code.ts", "cli/exit-code.test.ts", [
    [
      "arguments that may be keys",
      "const what = strangers.get(code);",
      "const what = message;",
      "unknownOption|unknownCommand|excessArguments",
    ],
    ["values that may be keys", "/argument '[\\s\\S]*' is invalid/u", "/argument/u", "invalidArgument"],
  ]),
  ...guardsOf("keyring/keyring-json.ts", "keyring/local-keyring.test.ts", [
    ["names of keys of one month", "-$" + '{nodeCrypto().randomBytes(4).toString("hex")}', "", "named apart"],
    ["a key of zeros", "if (bytes.every((byte) => byte === 0)) throw", "if (false) throw", "all zeros"],
    ["one key under two kids", "if (known.equals(key)) throw", "if (false) throw", "all zeros"],
  ]),
  ...guardsOf("store/postgres/postgres-failure.ts", "store/postgres/postgres-failure.test.ts", [
    [
      "faults that no waiting mends",
      "return storeUnavailable(...failure, { retryable: false });",
      "return storeUnavailable(...failure);",
      "no waiting mends|is malformed",
    ],
    [
      "faults that have no code",
      "lastingWords.find(([words]) => words.test(error.message))",
      "undefined",
      "(?:SASL|SSL connection|no pg_hba).*said as such",
    ],
    ["kinds of certificates", "/CERT|^UNABLE_TO_(?:VERIFY|GET)|", "/", "said as such .not trusted"],
    ["kinds of TLS", "/^(?:ERR_(?:OSSL|SSL|TLS)_|EPROTO$)/u", "/^$/u", "said as such .does not agree"],
  ]),
  ...guardsOf("store/sqlite/sqlite-file.ts", "store/sqlite/sqlite-mode.test.ts", [
    [
      "a database for its owner alone",
      "createFile(this.#path);",
      "",
      "created for its owner|its owner's alone, with its log",
    ],
  ]),
  ...guardsOf("store/sqlite/open-file.ts", "store/sqlite/sqlite-mode.test.ts", [
    ["a link to nowhere", '["wx", "a"]', '["wx"]', "that a link leads to"],
  ]),
  ...guardsOf("store/sqlite/sqlite-failure.ts", "store/sqlite/sqlite-mode.test.ts", [
    ["a missing folder", '["ENOENT", 14],', "", "a folder that is missing"],
    ["a path that is too long", '["ENAMETOOLONG", 14],', "", "too long"],
  ]),
  ...guardsOf("http/node-listener.ts", "http/mounting.test.ts", [
    ["a body that was read before", "readBefore.add(request);", "", "behind a body parser"],
  ]),
  ...guardsOf("http/node-listener.ts", "http/server/serve.test.ts", [
    ["requests without a host", 'hostname: "localhost",', "", "as a balancer asks"],
  ]),
];
