import { type Guard, guardsOf } from "./guard.ts";

const held = "resolver/held-slot.test.ts";

/** What serves a slot that a call holds, and what the call is told of it. */
export const guardsOfHeldSlots: readonly Guard[] = [
  ...guardsOf("resolver/held-slot.ts", held, [
    [
      "a decision for each request",
      "if (outcome !== undefined) return this.#take(outcome);",
      "if (outcome !== undefined) return this.#current.serving;",
      "after it was replaced|removed key again|where `fallback` allows it, and",
    ],
    [
      "going on",
      "const serving = this.#goOn() ??",
      "const serving = (undefined as ServingKey | undefined) ??",
      "nobody has told yet",
    ],
    [
      "slots that nothing fresh is known of",
      "return serving ?? this.#judgeLastKnown();",
      "return serving;",
      "absence is believed|past its lease, or on what",
    ],
    [
      "sockets of a removed key",
      "this.#sockets.closeRevoked(keyRevoked(this.#current));",
      "",
      "closes the sockets that|although the function",
    ],
    ["a closed resolver's sockets", "this.#sockets.closeAll(error);", "", "resolver that is closed closes"],
    [
      "a signal that is read late",
      "if (!isSameKey(this.#resolved, this.#current.serving)) this.#watch.fire(keyReplaced(this.#current));",
      "",
      "first read after a removal",
    ],
    [
      "a signal of a removal",
      "if (isFailure(outcome)) this.#watch.fire(toSlotError(outcome, this.#current));",
      "if (isFailure(outcome)) {}",
      "tells its signal|is back and tells",
    ],
    [
      "a signal of another host",
      "this.#watch.fire(keyReplaced(outcome));\n    if (before",
      "if (before",
      "when another region serves",
    ],
    ["no signal of what is unknown", "unknownCodes.has(outcome.code)", "false", "nobody can read"],
  ]),
  ...guardsOf("resolver/slot-events.ts", held, [
    ["a source that changes", 'type: "source_changed",', 'type: "stale" as never,', "allows it, and says so"],
  ]),
  ...guardsOf("resolver/slot-decisions.ts", held, [
    [
      "no request after the end",
      "this.#closing.throwIfAborted();\n    const { orgId, bound, snap",
      "const { orgId, bound, snap",
      "is closed no slot sends",
    ],
  ]),
  {
    name: "a key that is open stays open",
    file: "resolver/slot-decisions.ts",
    find: "return isStillOpen(snapshot, current) && !isMarked ? { ...current, snapshot } : undefined;",
    replace: "return undefined;",
    also: { find: "answer?.overdueMs === 0 && isStillOpen(answer.snapshot, current)", replace: "Date.now() === 0" },
    test: held,
    only: "key that is open",
  },
  ...guardsOf("resolver/slot-watch.ts", "resolver/slot-watch.test.ts", [
    ["one retry", "    this.#retry?.cancel();\n    this.#retry =", "    this.#retry =", "one retry is pending"],
    ["a retry", "else this.#retryLater();", "", "one retry is pending|that fails is made again"],
    ["an end to a retry", "if (isKnown) this.#retry?.cancel();", "if (isKnown) {}", "a retry ends once"],
    ["changes during a look", "while (this.#isPending) {", "if (this.#isPending) {", "during a reconsideration"],
    ["one look at a time", "if (!this.#isRunning) void this.#run();", "void this.#run();", "during a reconsideration"],
  ]),
  ...guardsOf("resolver/slot-watch.ts", held, [
    [
      "a look at first",
      "\n    this.changed();\n    return signal;",
      "\n    return signal;",
      "first read after a removal",
    ],
  ]),
  ...guardsOf("coherence/worker-memory.ts", held, [
    ["a word for who watches", "this.#tell(orgId);", "{}", "when another region|has forgotten"],
    [
      "a last word for who watches",
      "for (const onChange of watchers) onChange();",
      "",
      "resolver that is closed closes",
    ],
    ["fences of what is held", "return this.history.isAdmissible(held) && ", "return ", "past a change that is known"],
  ]),
  ...guardsOf("resolver/call-resolver.ts", held, [
    ["a renewal that reads", "await deadline.race(this.#cache.feed.pollAnew().catch(() => {}));", "", "is renewed as"],
  ]),
  ...guardsOf("resolver/slot-binder.ts", held, [
    [
      "no SDK that `clients` leaves out",
      "if (!this.#clients.has(provider)) return",
      "if (false) return",
      "has no client where",
    ],
  ]),
  ...guardsOf("deadline.ts", "providers/own-provider.test.ts", [
    [
      "a deadline without imports",
      "this.#endsAtMs += this.#clock.monotonicMs() - beganAtMs;",
      "",
      "takes nothing of its deadline",
    ],
    [
      "an end to imports",
      "this.#clock, maxOutsideMs, this.#signals",
      "this.#clock, 1e9, this.#signals",
      "takes nothing of its deadline",
    ],
  ]),
  ...guardsOf("resolver/agent-config.ts", "resolver/agent-config.test.ts", [
    [
      "a provider's id",
      '|| provider === "") refuse("provider");',
      ") {}",
      "empty provider|without a provider|that is a number|provider longer|two faults",
    ],
    ["a model", "if (!isText(name, maxNameLength)) refuse(field);", "", "model that is a list|voice longer"],
    ["a slot's shape", "else wrong.push(field);", "", "slot that is a text"],
    ["a JSON text", 'typeof value === "string" ? parseText(value) : value', "value", "by its text|no JSON"],
  ]),
  ...guardsOf("providers/egress/fetch-attempt.ts", "providers/egress/request-headers.test.ts", [
    [
      "a query's credentials",
      'dropUrlCredentials(aim.at(this.#url, serving, "baseUrl", before))',
      'aim.at(this.#url, serving, "baseUrl", before)',
      "query carries no",
    ],
  ]),
  ...guardsOf("providers/openai-sdk/openai-client.ts", "providers/egress/pollution.test.ts", [
    [
      "requests that inherit nothing",
      "({ ...nothingInherited, ...given })",
      "given",
      "as (fetchOptions|query) changes no request",
    ],
    [
      "clients that inherit no query",
      'defaultQuery: ownProperty(options, "defaultQuery"),',
      "",
      "as defaultQuery changes no request",
    ],
  ]),
  ...guardsOf("providers/egress/departure.ts", "providers/egress/slot-agent.test.ts", [
    [
      "what serves at the write",
      "const now = supply.peek();\n      if (now !== undefined && supply.mayLeave(now, this.#asked)) return write(now);\n    }",
      "return write(await supply.decide(this.#signal));\n    }",
      "outdated as soon|nobody can tell",
    ],
  ]),
  ...guardsOf("resolver/held-slot.ts", "resolver/refused-sockets.test.ts", [
    [
      "refusals on open sockets",
      "await this.replace(refused).catch((error: Error) => this.#watch.fire(error));",
      "",
      "OpenAI's realtime.*tells its slot of a key",
    ],
    [
      "a key that a socket shows to be taken",
      "this.#decisions.refusals.end(this.#current, secretId, request, true);",
      "",
      "which takes its mark away",
    ],
  ]),
  ...guardsOf("resolver/slot-errors.ts", held, [
    ["a removal that is named", "return isRevoked ? keyRevoked(held) : new", "return new", "removed key again"],
  ]),
  ...guardsOf("resolver/slot-outage.ts", held, [
    [
      "an end to going on",
      "cache.memory.overdueMs(snapshot) < settings.callStaleMs ? snapshot : undefined",
      "snapshot",
      "`callStaleMs`, such as 0",
    ],
  ]),
  ...guardsOf("resolver/slot-outage.ts", held, [
    ["no going on past a change", " || !cache.memory.admits(snapshot)", "", "past a change that is known"],
  ]),
  ...guardsOf("resolver/slot-outage.ts", held, [
    ["one event for what is stale", "if (this.#hasToldStale) return;", "", "tells of it once"],
  ]),
];
