import { type Guard, guardsOf } from "./guard.ts";

const refused = "resolver/refused-keys.test.ts";
const marked = "resolver/key-marks.test.ts";
const noted = "resolver/use-notes.test.ts";

/** What becomes of a key that its provider refuses, and of the request that has found it out. */
export const guardsOfRefusedKeys: readonly Guard[] = [
  ...guardsOf("resolver/key-refusals.ts", refused, [
    ["a newer key before a mark", " || !(await this.#reads.isStored(slot, secretId))", "", "caller hears nothing"],
    ["the platform's own refusals", "if (secretId === null) throw", "if (false) throw", "marks no organisation"],
    ["the platform told once", "nowMs - toldAtMs >= markedMs", "true", "marks no organisation"],
    ["what is exhausted", 'kind === "exhausted" ? "exhausted" : "rejected"', '"rejected"', "and is exhausted"],
  ]),
  ...guardsOf("resolver/key-marks.ts", marked, [
    ["thirty seconds", "nowMs < mark.untilMs ? mark.failure : undefined", "undefined", "by nobody before|stays marked"],
    ["one that tries", "mark.probe = request;", "", "by nobody before|serves again once"],
    ["a trial that is lost", "nowMs >= mark.probeUntilMs", "false", "never heard of again"],
    ["its own trial", "mark.probe === this.#asking || ", "", "with a connection that is lost"],
    ["a success that began later", "|| mark.probe !== request) return false;", ") return false;", "sent before"],
    ["a trial without a verdict", "    mark.probe = undefined;\n", "", "where the first was told"],
    ["a bound of marks", "if (this.#marks.size <= this.#maxMarks) break;", "break;", "bounded number"],
  ]),
  ...guardsOf("resolver/key-marks.ts", marked, [
    ["no news of what is known", "return before?.failure !== failure;", "return true;", "by nobody before"],
  ]),
  ...guardsOf("resolver/key-refusals.ts", marked, [
    [
      "a status for people",
      "    this.#notes.add({ ...facts, name: defaultKeyName, verdict: verdicts[failure] });",
      "",
      "how it stands|noted again",
    ],
    [
      "a status that is noted again",
      "    this.#notes.add({ ...facts, name: defaultKeyName, verdict: verdicts[failure] });",
      "    if (isNews) this.#notes.add({ ...facts, name: defaultKeyName, verdict: verdicts[failure] });",
      "noted again",
    ],
  ]),
  ...guardsOf("resolver/held-slot.ts", marked, [
    ["a trial that disturbs no slot", "if (isTrial && ", "if (false && ", "disturbs no slot"],
  ]),
  ...guardsOf("resolver/key-chooser.ts", refused, [
    [
      "marks in a decision",
      "key.reason : this.#marks.failureOf(key.secretId)",
      "key.reason : undefined",
      "fails typed|operator says so",
    ],
  ]),
  ...guardsOf("resolver/slot-decisions.ts", marked, [
    [
      "a key that is tried again while the database is away",
      "if (!wasRefused && this.marks.failureOf(serving.secretId) === undefined)",
      "if (true)",
      "is tried again while the database is away",
    ],
  ]),
  ...guardsOf("resolver/slot-decisions.ts", refused, [
    [
      "marks past the short way",
      'serving.source === "byok" && !isMarked',
      'serving.source === "byok"',
      "fails typed|operator says so",
    ],
  ]),
  ...guardsOf("resolver/slot-reads.ts", refused, [
    [
      "a log read anew",
      "await deadline.race(this.#cache.feed.pollAnew().catch(() => {}));",
      "",
      "caller hears nothing",
    ],
  ]),
  ...guardsOf("resolver/use-notes.ts", noted, [
    [
      "the newest word",
      "this.#waiting.delete(use.secretId);",
      "if (this.#waiting.has(use.secretId)) return;",
      "newest word",
    ],
    ["a bound of notes", "if (this.#waiting.size <= maxWaiting) break;", "break;", "no more than a thousand"],
    ["notes again", "return !isByokError(error) || !error.retryable;", "return true;", "less and less often"],
    ["no note for ever", "return !isByokError(error) || !error.retryable;", "return false;", "never take"],
    ["less and less often", "Math.min(2 * this.#pauseMs, maxPauseMs)", "minPauseMs", "less and less often"],
    ["an end to notes", "this.#timer?.cancel();", "", "after the end"],
  ]),
  ...guardsOf("providers/egress/fetch-attempt.ts", refused, [
    [
      "streams that are sent once",
      "if (!isReplayable(body) || refusals",
      "if (refusals",
      "is not a stream|is not a Request",
    ],
    [
      "an account's own",
      "if (standsInFor !== undefined && namesAccountState(",
      "if (false && namesAccountState(",
      "names what one account has",
    ],
    [
      "its own account's newer key",
      "if (standsInFor !== undefined && namesAccountState(",
      "if (namesAccountState(",
      "newer key of its own account",
    ],
    [
      "each request told",
      "    } finally {\n      this.#report();\n      this.#startedAtMs",
      "    } finally {\n      this.#startedAtMs",
      "operator says so",
    ],
  ]),
  ...guardsOf("resolver/slot-handle.ts", "resolver/renewed-slots.test.ts", [
    [
      "errors that are passed on",
      "if (refusal !== undefined) {",
      "if (Date.now() === 0 && refusal !== undefined) {",
      "policy decides|of the platform's key",
    ],
  ]),
  ...guardsOf("providers/refusals/judge-key.ts", "resolver/renewed-slots.test.ts", [
    [
      "refusals of the key alone",
      "refusal !== undefined && isOfKey(refusal) ? refusal : undefined",
      "refusal",
      "is a rate limit",
    ],
  ]),
  ...guardsOf("providers/egress/answer-refusal.ts", refused, [
    ["never 429", "  key_exhausted: 402,\n", "  key_exhausted: 429,\n", "and is exhausted fails typed"],
  ]),
  ...guardsOf("providers/refusals/judge-key.ts", refused, [
    [
      "refusals of the key alone",
      "refusal !== undefined && isOfKey(refusal) ? refusal : undefined",
      "refusal",
      "alone is not marked",
    ],
  ]),
  ...guardsOf("resolver/key-marks.ts", "resolver/renewed-slots.test.ts", [
    ["a mark that holds no more", " && this.failureOf(secretId) !== undefined;", ";", "once the mark has ended"],
  ]),
  ...guardsOf("providers/egress/names-account-state.ts", "resolver/refused-keys.test.ts", [
    [
      "JSON that is not at hand",
      "text === undefined ? isJson(headers, body)",
      "text === undefined ? false",
      "no JSON that is not at hand",
    ],
    ["what is no JSON", "text === undefined ? isJson(headers, body)", "text === undefined ? true", "of another type"],
  ]),
  ...guardsOf("resolver/held-slot.ts", "resolver/refused-keys.test.ts", [
    [
      "a policy that is waited for while the database is away",
      " ?? (await this.#goOnLater(signal ?? undefined))",
      "",
      "that answers later, is sent once",
    ],
  ]),
  ...guardsOf("providers/refusals/judge-key.ts", refused, [
    [
      "tables that throw",
      "} catch {\n    return undefined;",
      "} catch (error) {\n    throw error;",
      "table of anybody's",
    ],
  ]),
  ...guardsOf("providers/egress/slot-fetch.ts", refused, [
    ["an answer for what was said", "saidByProvider.has(error.code)", "false", "fails typed by default"],
  ]),
  ...guardsOf("providers/egress/fetch-attempt.ts", "providers/egress/bodies.test.ts", [
    [
      "keys of e-mails",
      "keyIfIdempotent(options.vendor, { url, method: init.method, headers: init.headers })",
      "init.headers",
      "by a key of byokit's",
    ],
  ]),
  ...guardsOf("resolver/slot-outage.ts", "resolver/refused-keys.test.ts", [
    [
      "no refused key while a policy is waited for",
      "(this.#isRefused(held) ? undefined : held)",
      "held",
      "that answers later, is sent once",
    ],
  ]),
];
