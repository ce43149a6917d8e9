import { type Guard, guardsOf } from "./guard.ts";

const inMemory = "a store in memory.*";

/** What calls find out of keys: a secret that is still there, a refusal alone that is lifted, one row each, no write twice. */
export const guardsOfNotedUses: readonly Guard[] = [
  ...guardsOf("store/memory-store.ts", "store/memory-store.test.ts", [
    [
      "a secret that was replaced",
      "if (key?.secretId !== secretId) return false;\n      if (!changesVerdict",
      "if (key === undefined) return false;\n      if (!changesVerdict",
      `${inMemory}leaves a secret alone`,
    ],
    [
      "a state that is known",
      "if (!changesVerdict(key.verdict, verdict)) return true;",
      "",
      `${inMemory}writes nothing where`,
    ],
    [
      "one row of each state",
      "if (trail.hasObserved(secretId, verdict)) return true;",
      "",
      `${inMemory}keeps one audit row of each secret`,
    ],
  ]),
  ...guardsOf("store/rows/changes-verdict.ts", "store/memory-store.test.ts", [
    [
      "a refusal alone that a call lifts",
      'stored === "invalid" || stored === "exhausted"',
      "stored !== found",
      `${inMemory}lifts a refusal`,
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-statements.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "a secret that was replaced",
      "WHERE secret_id = $secretId AND org_id",
      "WHERE $secretId <> '' AND org_id",
      "leaves a (?:secret|key) alone",
    ],
    [
      "one row of each state",
      "WHERE action = 'observed' DO NOTHING",
      "WHERE action = 'observed' DO UPDATE SET times = times + 1",
      "keeps one audit row of each secret",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-changes.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "a state that is known",
      'return changesVerdict(row["verdict"] as Verdict, verdict) ? undefined : true;',
      "return undefined;",
      "writes nothing (?:where|for) what",
    ],
    ["a secret that was replaced meanwhile", "if (noted !== undefined) return noted;", "", "between the look at it"],
    [
      "a schema that has no place for uses",
      "if (!hasSchemaOfUses({ prepare })) throw noSchema();",
      "",
      "release that notes no uses",
    ],
  ]),
  ...guardsOf("store/sqlite/sqlite-schema.ts", "store/sqlite/sqlite-store.test.ts", [
    ["reads of the schema before", ">= neededVersion", ">= steps.length", "release that notes no uses"],
  ]),
  ...guardsOf("store/sqlite/sqlite-store.ts", "store/sqlite/sqlite-store.test.ts", [
    [
      "no wait for a writer",
      "return noted ?? (await",
      "return (noted === false && noted) || (await",
      "waits for no writer",
    ],
  ]),
  ...guardsOf("store/postgres/note-functions.ts", "store/postgres/postgres-contract.test.ts", [
    ["a secret that was replaced", "AND secret_id = p_secret_id\n      AND CASE", "AND CASE", "leaves a secret alone"],
    [
      "an answer about that secret",
      "WHERE $" + "{mine} AND secret_id = p_secret_id);",
      "WHERE $" + "{mine});",
      "leaves a secret alone",
    ],
    [
      "a refusal alone that a call lifts",
      "WHEN 'passed' THEN verdict IN ('invalid', 'exhausted') ELSE",
      "WHEN 'passed' THEN verdict <> 'passed' ELSE",
      "lifts a refusal",
    ],
    ["a state that is known", "ELSE verdict <> p_verdict END", "ELSE true END", "writes nothing where"],
    [
      "one row of each state",
      "WHERE action = 'observed' DO NOTHING",
      "WHERE action = 'observed' DO UPDATE SET times = byok_audit.times + 1",
      "keeps one audit row of each secret",
    ],
  ]),
  ...guardsOf("store/postgres/note-functions.ts", "store/postgres/postgres-store.test.ts", [
    ["no row that is written twice", "ELSE verdict <> p_verdict END", "ELSE true END", "writes nothing for what"],
    ["a wait that ends", "END IF;\n  $" + "{limitLocks}", "END IF;", "that is being replaced no longer"],
  ]),
  ...guardsOf("store/postgres/note-functions.ts", "store/postgres/postgres-roles.test.ts", [
    [
      "the words of a worker",
      "IF p_verdict IS NULL OR p_verdict NOT IN",
      "IF false AND p_verdict NOT IN",
      "has no word to note but",
    ],
  ]),
];
