import { type Guard, guardsOf } from "./guard.ts";

const sent = "resolver/key-accounts.test.ts";
const stored = "manager/key-accounts.test.ts";

/** What a key works for: it arrives with the key, nobody else's does, and nobody who writes to the database changes it. */
export const guardsOfAccounts: readonly Guard[] = [
  ...guardsOf("providers/egress/request-headers.ts", sent, [
    [
      "an account that a request shows",
      "[shown, ...accountFields.flatMap(showField)]",
      "[shown]",
      "arrives with the key|arrives in part|serves now in a slot|shows its account|in which header",
    ],
    [
      "no account of a request's own",
      "if (this.#own.has(name)) return false;",
      "if (name === this.#key.name) return false;",
      "in which header",
    ],
    [
      "no account where there is none",
      "id === null ? [] : [[header, id]]",
      "false ? [] : [[header, String(id)]]",
      "in part",
    ],
  ]),
  ...guardsOf("keyring/local-keyring.ts", "keyring/local-keyring.test.ts", [
    [
      "the organization that is bound",
      '(header["aco"] ?? null) === (account?.organization ?? null) &&',
      "",
      "another organization|part of its account",
    ],
    [
      "the project that is bound",
      '(header["acp"] ?? null) === (account?.project ?? null)',
      "true",
      "another project|part of its account",
    ],
    [
      "what a key without an account is bound to",
      "(value === null ? [] : [[name, value]])",
      "[[name, value]]",
      "bound to what it was bound to before",
    ],
  ]),
  ...guardsOf("coherence/opened-snapshot.ts", sent, [
    ["accounts that can be sent", " && isSendableAccount(account);", ";", "no header can hold"],
  ]),
  ...guardsOf("coherence/snapshot-codec.ts", "keyring/entry-cipher.test.ts", [
    [
      "an account in the shared cache",
      "const { secretId, region, account } = key;",
      "const { secretId, region } = key;\n  const account = null;",
      "says what it holds",
    ],
    [
      "entries of a release without accounts",
      'if (v !== version) return "unknown_kid";',
      "",
      "release without accounts",
    ],
  ]),
  ...guardsOf("resolver/key-chooser.ts", sent, [
    [
      "accounts that a provider takes",
      "!supportsAccount(provider, account)",
      "false",
      "worker's provider does not take",
    ],
  ]),
  ...guardsOf("manager/manager-settings.ts", stored, [
    [
      "accounts that a provider takes",
      "account === undefined || supportsAccount(provider, account)",
      "true",
      "whose keys need none",
    ],
  ]),
  ...guardsOf("manager/key-changer.ts", stored, [
    [
      "an account that is kept",
      "account === undefined ? (before?.account ?? null) : account",
      "account ?? null",
      "is kept by a change",
    ],
    ["a look at what is kept", " || needsAccount ?", " ?", "is kept by a change"],
  ]),
  ...guardsOf("manager/key-inputs.ts", stored, [
    ["the form of an account", "value === null || isNamedAccount(value)", "true", "is options_invalid"],
    [
      "an account that its caller changes no more",
      "read.account && toKeyAccount(read.account)",
      "read.account",
      "whatever its caller does",
    ],
  ]),
  ...guardsOf("key-account.ts", stored, [
    [
      "ids that end no header",
      "/^[\\x21-\\x7e]{1,128}$/",
      "/^[^]+$/",
      "with (a blank|a line break|a line break at its end|a text beyond ASCII|129 characters) is options_invalid",
    ],
    ["an account of something", "given.length > 0 &&", "", "with nothing (in it|but null in it) is options_invalid"],
    ["fields that are known", "isAccountField(name) &&", "", "one field that is none is options_invalid"],
  ]),
  ...guardsOf("manager/secret-id.ts", stored, [
    ["an account of another change", ", ...works]", "]", "tells two changes"],
  ]),
  ...guardsOf("manager/key-checks.ts", sent, [
    ["an account that is checked", "{ ...asked, baseUrl,", "{ ...asked, account: null, baseUrl,", "shows its account"],
  ]),
  ...guardsOf("manager/explain-rejection.ts", sent, [
    ["an account as the cause", 'reason === "wrong_account"', "false", "shows its account"],
  ]),
  ...guardsOf("providers/refusals/openai-refusals.ts", "providers/key-verdicts.test.ts", [
    ["accounts by their codes", ', "mismatched_project"]', "]", "openai.*another project's key, by its code alone"],
    [
      "accounts by their sentences",
      "/\\bno such (?:organization|project)\\b|openai-(?:organization|project)\\s+header should match/iu",
      "/(?!)/u",
      "openai.*(an unknown organization|project's key), no code",
    ],
  ]),
  ...guardsOf("providers/define-provider.ts", sent, [
    [
      "headers of accounts",
      "accountHeaders: accountHeadersKind",
      'accountHeaders: { form: "", fits: () => true }',
      "that declares",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-schema.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "accounts in the trail",
      "BEFORE UPDATE OF organization, project ON byok_audit\n    BEGIN SELECT RAISE(ABORT, 'byok_audit is append-only'); END;",
      "BEFORE UPDATE OF organization, project ON byok_audit\n    BEGIN SELECT 1; END;",
      "of an older release is upgraded",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-schema.ts", "store/sqlite/sqlite-backup.test.ts", [
    [
      "backups of older releases",
      "return readSchemaVersion(database) > 0;",
      "return hasSchema(database);",
      "of an older release",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-changes.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "an account in SQLite",
      "region, ...toColumns(account), ...facts",
      "region, null, null, ...facts",
      "gives back what was stored|works for in part|reads what is stored as it takes",
    ],
  ]),
  ...guardsOf("store/postgres/postgres-changes.ts", "store/postgres/postgres-contract.test.ts", [
    [
      "an account in Postgres",
      "const { organization, project } = accountOf(key);",
      "const [organization, project] = [null, null];",
      "gives back what was stored|works for in part|reads what is stored as it takes",
    ],
    ["accounts of a batch in Postgres", "region, ...accountOf(key), kid", "region, kid", "stores a full batch"],
  ]),
  ...guardsOf("http/schemas.ts", "options/polluted-prototype.test.ts", [
    [
      "fields of an account that were sent",
      "[name, copyOwn(part)]",
      "[name, part]",
      "no request is answered.*prototype\\.organization",
    ],
  ]),
  ...guardsOf("http/key-routes.ts", "http/handler.test.ts", [
    ["an account that is passed on", "...(account === undefined ? {} : { account }),", "", "has what a key works for"],
  ]),
];
