import { type Guard, guardsOf } from "./guard.ts";

/** What is checked of an option where it is given. */
export const guardsOfOptions: readonly Guard[] = [
  ...guardsOf("read-options.ts", "options/misuse.test.ts", [
    [
      "kinds of options",
      "assertOption(name, value, rules[name])",
      "value",
      "the JSON of a keyring|a URL for a|a number of",
    ],
    [
      "options that are needed",
      "else if (isNeeded(name)) throw",
      "else if (false) throw",
      "no keyring given|no store given|no pool",
    ],
    [
      "names that there are",
      "assertNames(caller, given, names, strangers);",
      "",
      "a misspelt option|that there is not",
    ],
    ["no name that may be a key", "/iu.test(name) ? ", "/iu.test(name) || true ? ", "that there is not"],
    [
      "an object of options",
      "if (!isRecord(given) || isPromise(given)) {",
      "if (given === undefined) {",
      "without options",
    ],
    [
      "a class's getters",
      "ownProperty(given as T, name)",
      "Object.hasOwn(given, name) ? (given as T)[name] : undefined",
      "class of the platform",
    ],
  ]),
  ...guardsOf("store/postgres/pool-kind.ts", "options/misuse.test.ts", [
    ["a pool that is one", "&& !others.some((other) => other.fits(value))", "", "a client for a pool|Redis for a pool"],
  ]),
  ...guardsOf("resolver/resolver-settings.ts", "options/misuse.test.ts", [
    [
      "a keyring that is one",
      "keyring: required(keyringKind),",
      "keyring: list,",
      "without a keyring|keyring given to createResolver",
    ],
    ["an empty platform key", ' && entry[1] !== ""', "", "empty text is none"],
  ]),
  ...guardsOf("call-hook.ts", "options/hooks.test.ts", [
    [
      "ports that throw",
      "callHook(() => {\n    answer = call();\n    return answer;\n  });",
      "answer = call();",
      "close of a cache.*that throws",
    ],
  ]),
  ...guardsOf("resolver/fallback-policy.ts", "options/misuse.test.ts", [
    [
      "failures that there are",
      'readOptions("fallback", policy, decisions)',
      "policy",
      "an unknown failure|an unknown decision",
    ],
  ]),
  ...guardsOf("own-property.ts", "options/polluted-prototype.test.ts", [
    [
      "what options inherit",
      "if (parent === null || Object.getPrototypeOf(parent) === null) return undefined;",
      "if (parent === null) return undefined;",
      "prototype\\.(fallback|verify|websocketUrl|check)$",
    ],
  ]),
  ...guardsOf("resolver/fallback-policy.ts", "options/polluted-prototype.test.ts", [
    [
      "decisions of the operator's alone",
      'readOptions("fallback", policy, decisions)',
      "policy",
      "prototype\\.keyring_outdated",
    ],
  ]),
  ...guardsOf("resolver/agent-config.ts", "options/polluted-prototype.test.ts", [
    [
      "slots of the agent's own",
      'slot !== "email" ? ownProperty(agent, field) : undefined',
      'slot !== "email" ? agent[field] : undefined',
      "prototype\\.tts_config",
    ],
    [
      "models of the agent's own",
      'ownProperty(config, field) ?? ""',
      'config[field] ?? ""',
      "prototype\\.(model|voice)",
    ],
  ]),
  ...guardsOf("coherence/snapshot-codec.ts", "options/polluted-prototype.test.ts", [
    ["entries that open to what they hold", '= "" } = copyOwn(row);', '= "" } = row;', "prototype\\.key$"],
  ]),
  ...guardsOf("keyring/compact-jwe.ts", "options/polluted-prototype.test.ts", [
    ["a seal's own header", "? copyOwn(header) : undefined", "? header : undefined", "prototype\\.rgn"],
  ]),
  ...guardsOf("http/principal.ts", "options/polluted-prototype.test.ts", [
    ["rights that were given", 'ownProperty(principal, "canWrite")', "principal.canWrite", "nobody may write"],
  ]),
  ...guardsOf("http/schemas.ts", "options/polluted-prototype.test.ts", [
    [
      "fields that were sent",
      "parse(copyFields(value), ...rest)",
      "parse(value, ...rest)",
      "no request is answered.*prototype\\.(region|details)",
    ],
  ]),
  ...guardsOf("call-hook.ts", "options/hooks.test.ts", [
    [
      "callbacks that throw",
      "  } catch {\n    // Said above.\n  }",
      "  } finally {\n    // Said above.\n  }",
      "(Resolver|Manager|Store|Handler)[ >]+that throws",
    ],
    [
      "callbacks that reject",
      "awaitIt(returned).catch(ignore);",
      "void awaitIt(returned);",
      "on(Event|Error|Failure) .*that (rejects|answers)",
    ],
  ]),
  ...guardsOf("resolver/key-chooser.ts", "options/hooks.test.ts", [
    ["policies that decide", 'if (decision === "invalid") return', "if (false) return", "a policy"],
  ]),
  ...guardsOf("keyring/explain-unopened.ts", "options/hooks.test.ts", [
    [
      "a keyring's fault that is no key's",
      'if (!isByokError(error)) return "keyring_unavailable";',
      'if (!isByokError(error)) return "undecryptable";',
      "a keyring's open",
    ],
  ]),
  ...guardsOf("http/problem.ts", "http/handler.test.ts", [
    [
      "a keyring's fault that is no customer's",
      "keyring_outdated: unreachable,",
      "keyring_outdated: unopened,",
      "only this process cannot open",
    ],
  ]),
];
