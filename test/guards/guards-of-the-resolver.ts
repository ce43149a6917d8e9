import { type Guard, guardsOf } from "./guard.ts";

/** Whose key serves a slot, where it may travel, and what is said when none does. */
export const guardsOfTheResolver: readonly Guard[] = [
  ...guardsOf("resolver/key-chooser.ts", "resolver/resolve.test.ts", [
    ["no fallback that nobody chose", ' || decision === "fail"', "", "fails where"],
    ["an event for each fallback", 'if (reason !== "configured") onEvent(', "if (false) onEvent(", "platform's key"],
    [
      "an event for a key that does not open",
      'onEvent({ type: "key_unusable", orgId, provider: provider.id, secretId, reason });',
      "",
      "open falls",
    ],
  ]),
  ...guardsOf("resolver/key-chooser.ts", "resolver/coherence.test.ts", [
    ["no key past the lease", "overdueMs === 0 || overdueMs < (key", "true || overdueMs < (key", "are handed"],
    [
      "absence that is believed for a time",
      "(key === undefined ? absentStaleMs : serveStaleMs)",
      "(key === undefined ? Infinity : serveStaleMs)",
      "out until",
    ],
    ["keys that are no absence", "(key === undefined ? absentStaleMs : serveStaleMs)", "absentStaleMs", "are handed"],
    ["an event for what is stale", 'if (stale) onEvent({ type: "stale"', 'void ({ type: "stale"', "out until"],
  ]),
  ...guardsOf("resolver/late-fallback.ts", "resolver/late-fallback.test.ts", [
    [
      "no late answer past a change",
      "return fresh === answer?.snapshot ? outcomes : undefined;",
      "return outcomes;",
      "while fallback is being asked|three times at most",
    ],
    ["an end to asking", "export const maxAsks = 3;", "export const maxAsks = 9;", "three times at most"],
    [
      "late answers within the deadline",
      "await deadline.race(Promise.all(chosen))",
      "await Promise.all(chosen)",
      "although fallback never",
    ],
    [
      "late answers that hold for a lease",
      " || this.#clock.monotonicMs() - agreedAtMs >= this.#holdsMs",
      "",
      "changed its mind|that it held",
    ],
    [
      "late answers to the same question",
      "if (this.#chooser.failureOf(bound, answer) !== shown.reason) return undefined;",
      "",
      "a key that comes",
    ],
  ]),
  ...guardsOf("resolver/key-chooser.ts", "resolver/late-fallback.test.ts", [
    ["answers at once beside late ones", "this.#answersLater || triedAgain", "triedAgain", "now at once and now later"],
    [
      "answers that are not asked for in vain",
      "if (this.#answersLater && this.failureOf(bound, answer) !== undefined) return undefined;",
      "",
      "runs on what fallback answers then",
    ],
  ]),
  ...guardsOf("resolver/slot-decisions.ts", "resolver/late-fallback.test.ts", [
    [
      "one answer for the requests of a slot",
      "      const recalled = this.#late.recall(current, answer);\n      if (recalled !== undefined) return recalled;",
      "",
      "as long as the failure",
    ],
    [
      "requests on the platform's key where the keyring fails",
      "    const recalled = this.#late.recall(current, answer);\n    if (recalled !== undefined) return recalled;\n    if",
      "    if",
      "keyring does not open.*is sent",
    ],
  ]),
  ...guardsOf("resolver/held-slot.ts", "resolver/late-fallback.test.ts", [
    [
      "sockets of a removed key while fallback is asked",
      "if (this.#endWhatIsRemoved()) this.#watch.fire(keyRevoked(this.#current));",
      "",
      "say so, while fallback never",
    ],
    [
      "nothing goes on that fallback is asked about",
      "if (isExpired && this.#decisions.isKnown(this.#current)) throw outcome;",
      "",
      "that it held",
    ],
  ]),
  ...guardsOf("providers/endpoints.ts", "resolver/resolver-options.test.ts", [
    [
      "https",
      "loopback.test(url.hostname)",
      "true",
      'an operator\'s endpoint.*like "http://proxy\\.example" is refused',
    ],
    [
      "no credentials in a URL",
      " && !url.username && !url.password",
      "",
      'an operator\'s endpoint.*like "https://user:pass@proxy\\.example" is refused',
    ],
    [
      "no query in a URL",
      " && !url.search",
      "",
      'an operator\'s endpoint.*like "https://proxy\\.example/\\?key=1" is refused',
    ],
    [
      "a region's own host",
      "if (declared?.region === region) return declared;",
      "if (declared !== undefined) return declared;",
      "region serves",
    ],
  ]),
  ...guardsOf("resolver/slot-binder.ts", "resolver/resolve.test.ts", [
    ["providers that are known", "if (provider === undefined) {", "if (false) {", "lists every"],
    ["slots that a provider serves", "if (!provider.serves.includes(slot)) {", "if (false) {", "provider cannot"],
    ["no key in an error", 'test(id) ? id : "?"', "test(id) ? id : id", "was pasted"],
  ]),
  ...guardsOf("resolver/call-resolver.ts", "resolver/resolve.test.ts", [
    [
      "well-formed organisation ids",
      "const deadline = this.#decisions.startDeadline(assertOrgId(orgId), options);\n    const slots",
      "const deadline = this.#decisions.startDeadline(orgId, options);\n    const slots",
      "for the organisation",
    ],
    ["no slot without the others", "if (failures.length > 0) throw slotsFailed(orgId, failures);", "", "lists every"],
  ]),
  ...guardsOf("resolver/slot-handle.ts", "resolver/resolve.test.ts", [
    ["one client per slot", "this.#client ??=", "this.#client =", "client each"],
  ]),
  ...guardsOf("resolver/sdk-loader.ts", "providers/own-provider.test.ts", [
    ["one import per SDK", "this.#loading.set(provider.id, loading);", "", "SDK loaded"],
  ]),
  ...guardsOf("manager/manager-settings.ts", "manager/key-manager.test.ts", [
    [
      "the provider's regions",
      "|| Object.hasOwn(provider.regions ?? {}, region)) return;",
      "|| region in (provider.regions ?? {})) return;",
      "an inherited",
    ],
  ]),
  ...guardsOf("manager/key-changer.ts", "manager/key-manager.test.ts", [
    [
      "a checked key",
      "parseKey(provider, apiKey, providers, orgId)",
      "parseKey(provider, apiKey, [], orgId)",
      "with another",
    ],
    [
      "the manager's deadline",
      "{ ...(await deadline.race(stored)), ...said, ...kept }",
      "{ ...(await stored), ...said, ...kept }",
      "committed after",
    ],
    [
      "a new secret id",
      "idempotencyKey === undefined ? nodeCrypto().randomUUID()",
      'idempotencyKey === undefined ? "one"',
      "are stored",
    ],
  ]),
  ...guardsOf("manager/audit-page.ts", "manager/key-manager.test.ts", [
    ["a page's end", "rows.length > limit ?", "false ?", "tells who"],
    ["a page's size that is one", "limit: positiveWhole }", 'limit: { form: "", fits: () => true } }', "tells who"],
  ]),
  ...guardsOf("identifier.ts", "manager/key-manager.test.ts", [
    ["a named actor", "if (actor === null || isIdentifier(actor)) return;", "return;", "by the actor"],
  ]),
  ...guardsOf("manager/key-changer.ts", "manager/change-order.test.ts", [
    [
      "a place that is taken when a change is asked for",
      "const place = isChecking || needsRegion || needsAccount ? nodeCrypto().randomUUID() : null;",
      "const place = null as string | null;",
      "in another process",
    ],
    [
      "nothing for a caller that went away",
      "        waiting.throwIfEnded();\n        return await step();",
      "        return await step();",
      "went away while it waited",
    ],
    [
      "a region that is kept",
      "region === undefined ? (before?.region ?? null) : region",
      "region ?? null",
      "keeps its region",
    ],
    [
      "a trace of a rejected key",
      "await this.#noteAttempt(ref, actor, error, deadline.leftMs());",
      "",
      "leaves a trace",
    ],
  ]),
  ...guardsOf("manager/change-turns.ts", "manager/change-order.test.ts", [
    ["an older check that ends at once", "this.#latest.get(id)?.abort(keyChanged(ref));", "", "in the same process"],
    [
      "one change of an organisation at a time",
      "queue.last.then(step, step)",
      "Promise.resolve().then(step)",
      "one after another",
    ],
    ["a bounded queue", "if (queue.waiting >= maxWaiting) throw tooMany(orgId);", "", "more than a hundred"],
  ]),
  ...guardsOf("manager/secret-id.ts", "manager/change-order.test.ts", [
    [
      "another key under one idempotency key",
      "key.digest(idempotencyKey, ",
      'new Secret("one").digest(idempotencyKey, ',
      "same change",
    ],
  ]),
  ...guardsOf("manager/key-status.ts", "manager/key-manager.test.ts", [
    [
      "a key that does not open",
      '? "needs_reentry" : toStatus(verdict)',
      "? toStatus(verdict) : toStatus(verdict)",
      "other keys",
    ],
    [
      "a keyring's own fault, which is no customer's",
      'unopened === "undecryptable" ? "needs_reentry"',
      'unopened !== null ? "needs_reentry"',
      "other keys",
    ],
  ]),
  ...guardsOf("manager/create-key-manager.ts", "manager/key-checks.test.ts", [
    [
      "silence that speaks against no key",
      "toStatus(isAnswer ? verdict : stored.verdict)",
      "toStatus(verdict)",
      "whose provider",
    ],
    [
      "a key that was replaced meanwhile",
      "if (!(await deadline.race(noting))) {",
      "if ((await deadline.race(noting)) === undefined) {",
      "overtakes",
    ],
  ]),
  ...guardsOf("manager/create-key-manager.ts", "manager/key-manager.test.ts", [
    [
      "a limit for each key",
      "within(clock, deadlineMs / 2, findUnopened(keyring, orgId, record), () => tooSlow(orgId, deadlineMs))",
      "findUnopened(keyring, orgId, record)",
      "does not answer",
    ],
  ]),
  ...guardsOf("manager/manager-settings.ts", "manager/key-manager.test.ts", [
    [
      "a word that is one",
      'verify: oneOf("reject-invalid", "off")',
      'verify: oneOf("reject-invalid", "off", "on")',
      'a manager with \\{"verify":"on"\\} is options_invalid',
    ],
  ]),
  ...guardsOf("manager/stored-key.ts", "manager/key-manager.test.ts", [
    ["no error of the keyring's", "if (isByokError(error)) throw error;", "throw error;", "is down"],
  ]),
  ...guardsOf("coherence/opened-snapshot.ts", "resolver/resolve.test.ts", [
    ["keys that can be sent", "const isSendable = secret.isSendable() &&", "const isSendable =", "no client can send"],
  ]),
  ...guardsOf("manager/key-checks.ts", "manager/key-checks.test.ts", [
    ["keys that their provider calls invalid", 'if (verdict !== "invalid") return', "return", "not valid"],
    ["a check's limit", "await deadline.race(times === 1 ?", "await (times === 1 ?", "never ends"],
    ["a second time", "const second = ask();", "const second = first;", "once more|asks it twice|again meanwhile"],
    ["nobody asked for who is gone", "if (ended.aborted || ", "if (", "goes away"],
    ["a region as a possible cause", "return isUnclear &&", "return false &&", "possible cause"],
  ]),
  ...guardsOf("manager/explain-rejection.ts", "manager/key-checks.test.ts", [
    ["no text of a provider's", "Object.hasOwn(regions, named)", "true", "names the region that its provider named"],
    ["a region as a possible cause", 'reason === "wrong_region"', "true", "possible cause"],
  ]),
  ...guardsOf("manager/key-checks.ts", "manager/key-checks.test.ts", [
    [
      "a limit to key checks",
      "const end = this.#limiter.begin(orgId, provider.id);",
      "const end = (): void => {};",
      "stolen keys|together|are not made until",
    ],
    ["a check that ends", "end();\n", "\n", "however it ends"],
    [
      "checks that are not made, for nothing",
      "if (provider.check === undefined || endpoint === undefined) return",
      "this.#limiter.begin(orgId, provider.id);\n    if (provider.check === undefined || endpoint === undefined) return",
      "nowhere else",
    ],
  ]),
  ...guardsOf("manager/create-key-manager.ts", "manager/key-manager.test.ts", [
    [
      "limits that the operator sets",
      "new CheckLimiter(clock, settings.checkLimits)",
      "new CheckLimiter(clock)",
      'a manager with \\{"checkLimits"',
    ],
  ]),
  ...guardsOf("manager/check-limiter.ts", "manager/check-limiter.test.ts", [
    ["checks a minute", "Math.max(this.#refillMs(left), ", "Math.max(", "one by one|20 in one go|named"],
    ["checks at once", "underWay < this.#atOnce ? 0", "true ? 0", "as many at once"],
    ["checks at once that end", "bucket.underWay -= 1;", "", "as many at once"],
    ["a bucket with a rim", "Math.min(this.#perMinute, left + ", "Math.max(0, left + ", "long rest"],
    [
      "refusals that cost nothing",
      "if (waitMs > 0) throw",
      "if (waitMs > 0) bucket.left = left - 1;\n    if (waitMs > 0) throw",
      "that were refused",
    ],
    ["an organisation's own limits", "JSON.stringify([orgId, provider])", "provider", "of other organisations"],
    ["a provider's own limits", "JSON.stringify([orgId, provider])", "orgId", "of other providers"],
    ["memory that is given back", "this.#forgetFull(nowMs);", "", "minute is over"],
    ["memory with a bound", ", this.#crowdedMs(name, nowMs));", ");", "no more than its room"],
    ["limits that a flood leaves alone", "if (nowMs - atMs < minuteMs || ", "if (", "before it is full"],
    ["checks under way that are remembered", " || underWay > 0) return;", ") return;", "no check under way"],
    ["the oldest first", "this.#buckets.delete(name);\n    this.#buckets.set", "this.#buckets.set", "taken last"],
    ["those who were there", " || this.#buckets.has(name)) return 0;", ") return 0;", "goes on"],
  ]),
  ...guardsOf("secret.ts", "ground.test.ts", [
    [
      "toString",
      '  toString(): string {\n    return "[secret]";',
      "  toString(): string {\n    return this.#text;",
      "gives its text",
    ],
    [
      "toJSON",
      '  toJSON(): string {\n    return "[secret]";',
      "  toJSON(): string {\n    return this.#text;",
      "gives its text",
    ],
    ["hints of long keys alone", "this.#text.length < 20 ? null : ", "", "last four"],
  ]),
  ...guardsOf("errors.ts", "ground.test.ts", [
    ["every slot for retryable", "details.failures.every(", "details.failures.some(", "tried again"],
    ["a brand that other copies know", 'Symbol.for("byokit.error")', 'Symbol("byokit.error")', "known across"],
  ]),
  ...guardsOf("coherence/worker-memory.ts", "resolver/slots-at-hand.test.ts", [
    [
      "the lease of what is at hand",
      "snapshot !== undefined && this.overdueMs(snapshot) < 0 ? snapshot",
      "snapshot !== undefined ? snapshot",
      "no longer than its lease",
    ],
  ]),
  ...guardsOf("manager/key-changer.ts", "node-crypto.test.ts", [
    ["ids of byokit's own", "undefined ? nodeCrypto()", "undefined ? crypto", "a global crypto that"],
  ]),
  ...guardsOf("coherence/snapshot-loader.ts", "resolver/slots-at-hand.test.ts", [
    ["a snapshot's own slots", "      made: undefined,\n", "", "nothing that stands on Object.prototype"],
  ]),
  ...guardsOf("resolver/slots-at-hand.ts", "resolver/slots-at-hand.test.ts", [
    ["the model that is asked for", "!isSameName(model, namedModel) || ", "", "for another model"],
    ["the voice that is asked for", " || !isSameName(voice, shown.voice)", "", "voice of its own"],
    ["the provider that is asked for", "provider !== shown.provider || ", "", "another provider"],
    [
      "nothing inherited",
      "!isRecord(agent as unknown) || isPolluted()",
      "!isRecord(agent as unknown)",
      "inherits no slot",
    ],
    [
      "a slot at least",
      "llm === undefined && stt === undefined && tts === undefined && realtime === undefined",
      "false",
      "for no slot",
    ],
    [
      "no throw of an agent's",
      "catch {\n      return undefined;",
      "catch (error) {\n      throw error;",
      "throws nothing, for",
    ],
    ["an event for each call", 'this.#cache.tellUse(orgId, "memory");\n', "", "told as any other"],
  ]),
  ...guardsOf("resolver/key-chooser.ts", "resolver/key-accounts.test.ts", [
    [
      "a credential that calls share",
      "Object.freeze({ key, account, ",
      "({ key, account, ",
      "shown by the slot's credential",
    ],
    [
      "an account that calls share",
      "Object.freeze({ ...stored.account })",
      "{ ...stored.account }",
      "shown by the slot's",
    ],
  ]),
  ...guardsOf("resolver/slots-at-hand.ts", "resolver/refused-keys.test.ts", [
    ["marks at hand", "!this.#marks.isEmpty && this", "false && this", "operator says so"],
  ]),
];
