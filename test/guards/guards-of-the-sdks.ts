import { type Guard, guardsOf } from "./guard.ts";

const test = "providers/canary.test.ts";

/** Of SDKs of any version. */
export const guardsOfTheSdks: readonly Guard[] = [
  ...guardsOf("providers/canary/canary-run.ts", test, [
    [
      "the canary's key",
      "if (headers[name] !==",
      "if (false && headers[name] !==",
      "goes round byokit|takes no `fetch`",
    ],
    ["its placeholder", "sent.includes(this.#placeholder)", "false", "sends its placeholder"],
    ["the environment in a request", "this.#platform.some(", "[].some(", "sends what the environment says"],
    [
      "the environment in a client",
      "if (holdsAny(client, this.#platform))",
      "if (false)",
      "holds what the environment",
    ],
    ["a key in a client", "if (holdsAny(client, this.#usedKeys))", "if (false)", "has come by a key"],
    ["a credential of its own", "if (shown !== null && !shown", "if (false && !shown", "has a credential of its own"],
    ["what did not arrive", "if (this.#arrived - before >= (step.arrivals ?? 1)) return;", "return;", "sends nothing"],
    ["a canary's time", "setTimeout(() => this.#aborting.abort(), this.#limitMs)", "undefined", "sends nothing"],
    [
      "a client that is not built",
      'throw new Unproven("builds no client as byokit asks for one");',
      "",
      "lacks what is",
    ],
    ["the canary's end", "await listener.close();", "", "resend, newest.*leaves nothing open"],
  ]),
  ...guardsOf("providers/canary/prove-sdk.ts", test, [
    ["one proof in a process", "proofs.set(canary, proof);", "", "proven once in a process"],
    ["a proof that could not be made", "if (!isFound) proofs.delete(canary);", "", "is made by the next call"],
    ["one look where none can be proven", "proofs.set(canary, Promise.resolve());", "", "taken once in a process"],
    ["a version where none can be proven", "|| !isWithin(version, canary.versions)", "", "another version is refused"],
    ["a version that is not seen", "version === undefined || ", "version !== undefined && ", "an unknown version is"],
    ["what an operator is told", "process.emitWarning(", "((..._all: unknown[]) => {})(", "and the operator is told"],
    [
      "an import of another shape",
      'throw unsupported(provider, canary, "is not of the shape',
      'throw new Error("is not of the shape',
      "lacks what is built on",
    ],
  ]),
  ...guardsOf("providers/deepgram.ts", test, [
    [
      "sockets of older Deepgram SDKs",
      "for (const sockets of [client.listen, client.speak, client.agent]) leaveBy(sockets, egress);",
      "",
      "@deepgram/sdk 5.0.0.*is proven",
    ],
  ]),
  ...guardsOf("explain-import.ts", "explain-import.test.ts", [
    ["the package that is missing", "(known.find(", '([""].find(', "names it, as"],
    ["a file of an installed package", "(name !== undefined && file.test(name))", "false", "that lacks a file"],
    [
      "files that a process could not read",
      "isUnread(error) ? importFailed(",
      "false ? importFailed(",
      "of a file that the process could not read",
    ],
    [
      "files of byokit's own",
      "throw isByokError(error) ? error : importFailed(",
      "throw isByokError(error) ? error : error ?? importFailed(",
      "may be tried again where|for good",
    ],
    ["what byokit says already", "throw isByokError(error) ? error : ", "throw ", "leaves what byokit says"],
    [
      "manifests that a process could not read",
      ' || String(message).startsWith("Cannot read package config ")',
      "",
      "of a file that the process could not read .a manifest",
    ],
    ["what no repetition mends", "mayPass ? details :", "true ? details :", "for good|may not read"],
    ["no text of a loader's", "&& /^[A-Z][A-Z\\d_]{1,40}$/u.test(code)", "", "no word"],
  ]),
  ...guardsOf("resolver/slot-binder.ts", "resolver/unread-files.test.ts", [
    [
      "slots whose SDK could not be read",
      "if (!isMissingSdk(error) && !isUnread(error)) throw",
      "if (!isMissingSdk(error)) throw",
      "fails its slot",
    ],
    ["whose SDK cannot be read", "if (isLasting(error))", "if (false as boolean)", "for good, and says whose"],
  ]),
  ...guardsOf("testing/provider-contract.ts", "testing/provider-contract.test.ts", [
    [
      "a contract's canary",
      'await runCanary(one, { sdk: provider.sdk ?? provider.id, versions: "", steps }, loaded);',
      "",
      "finds a client that.*(sends the environment|goes round)",
    ],
    [
      "a contract's look for the environment",
      "!names.some(",
      "!([] as string[]).some(",
      "finds a client that.*sends the env",
    ],
    [
      "a contract's look into a client",
      'ok(!shown(client).includes(vendor.key), "The client shows its key after a request.");',
      "",
      "finds a client that.*holds a key",
    ],
  ]),
  ...guardsOf("providers/http/answer-failures.ts", "providers/egress/failures.test.ts", [
    [
      "refusals through SDKs whose errors carry no cause",
      "carriesCause ? undefined : byokErrorOf(error)",
      "undefined as undefined | never",
      "(5\\.0\\.0|2\\.25\\.0) throws.*is (provider_failed for|host_refused|key_revoked)",
    ],
    [
      "timers that end with a request",
      "const body = new ReadableStream",
      "throw error;\n      const body = new ReadableStream",
      "after answers alone",
    ],
  ]),
];
