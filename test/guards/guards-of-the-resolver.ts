import { type Guard, guardsOf } from "./guard.ts";

/** Whose key serves a slot, where it may travel, and what is said when none does. */
export const guardsOfTheResolver: readonly Guard[] = [
  ...guardsOf("resolver/key-chooser.ts", "resolver/resolve.test.ts", [
    ["no fallback that nobody chose", ' || decision === "fail"', ""],
    ["an event for each fallback", 'if (reason !== "absent") onEvent(', "if (false) onEvent("],
    [
      "an event for a key that does not open",
      'this.#settings.onEvent({ type: "key_unusable", orgId, provider: provider.id, secretId, reason });',
      "",
    ],
  ]),
  ...guardsOf("resolver/key-chooser.ts", "resolver/coherence.test.ts", [
    ["no key past the lease", "overdueMs === 0 || overdueMs < (key", "true || overdueMs < (key"],
    [
      "absence that is believed for a time",
      "(key === undefined ? absentStaleMs : serveStaleMs)",
      "(key === undefined ? Infinity : serveStaleMs)",
    ],
    ["keys that are no absence", "(key === undefined ? absentStaleMs : serveStaleMs)", "absentStaleMs"],
    ["an event for what is stale", 'this.#settings.onEvent({ type: "stale"', 'void ({ type: "stale"'],
  ]),
  ...guardsOf("providers/endpoints.ts", "resolver/resolver-options.test.ts", [
    ["https", "loopback.test(url.hostname)", "true"],
    ["no credentials in a URL", " && !url.username && !url.password", ""],
    ["no query in a URL", " && !url.search", ""],
    ["a region's own host", "declared?.region === region ? declared : provider.regions?.[region]", "declared"],
  ]),
  ...guardsOf("resolver/slot-binder.ts", "resolver/resolve.test.ts", [
    ["providers that are known", "if (provider === undefined) {", "if (false) {"],
    ["slots that a provider serves", "if (!provider.serves.includes(slot)) {", "if (false) {"],
    ["no key in an error", 'test(id) ? id : "?"', "test(id) ? id : id"],
  ]),
  ...guardsOf("resolver/call-resolver.ts", "resolver/resolve.test.ts", [
    [
      "well-formed organisation ids",
      "const deadline = this.#startDeadline(assertOrgId(orgId), options);\n    const readAgent",
      "const deadline = this.#startDeadline(orgId, options);\n    const readAgent",
    ],
    ["no slot without the others", "if (failures.length > 0) throw slotsFailed(orgId, failures);", ""],
  ]),
  ...guardsOf("resolver/resolved-slot.ts", "resolver/resolve.test.ts", [
    ["one client per provider", "if (!this.#clients.has(key)) ", ""],
  ]),
  ...guardsOf("resolver/sdk-loader.ts", "providers/own-provider.test.ts", [
    ["one import per SDK", "this.#loading.set(provider.id, loading);", ""],
  ]),
  ...guardsOf("manager/create-key-manager.ts", "manager/key-manager.test.ts", [
    [
      "the provider's regions",
      "if (region !== null && !Object.hasOwn(provider.regions ?? {}, region)) throw",
      "if (false) throw",
    ],
    ["a checked key", "parseKey(provider, apiKey, catalogue, orgId)", "parseKey(provider, apiKey, [], orgId)"],
    ["the manager's deadline", "await deadline.race(commit(orgId, work))", "await commit(orgId, work)"],
    ["a new secret id", "secretId: randomUUID(),", 'secretId: "one",'],
    ["a page's end", "rows.length > size ?", "false ?"],
    ["a page's bound", 'Math.min(positiveInteger("limit", limit), maxAuditPage)', "limit"],
  ]),
  ...guardsOf("identifier.ts", "manager/key-manager.test.ts", [
    ["a named actor", "if (actor === null || isIdentifier(actor)) return;", "return;"],
  ]),
  ...guardsOf("manager/key-status.ts", "manager/key-manager.test.ts", [
    ["a key that does not open", 'if (isLost) return "needs_reentry";', ""],
  ]),
  ...guardsOf("manager/create-key-manager.ts", "manager/key-checks.test.ts", [
    ["silence that speaks against no key", "toStatus(isAnswer ? verdict : stored.verdict)", "toStatus(verdict)"],
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
      "within(clock, deadlineMs / 2, readStatus(keyring, orgId, record), () => tooSlow(orgId, deadlineMs))",
      "readStatus(keyring, orgId, record)",
      "does not answer",
    ],
  ]),
  ...guardsOf("manager/create-key-manager.ts", "manager/key-manager.test.ts", [
    ["a word that is one", 'if (verify === "reject-invalid" || verify === "off") return', "return"],
  ]),
  ...guardsOf("manager/stored-key.ts", "manager/key-manager.test.ts", [
    ["no error of the keyring's", "if (isByokError(error)) throw error;", "throw error;", "is down"],
  ]),
  ...guardsOf("coherence/opened-snapshot.ts", "resolver/resolve.test.ts", [
    ["keys that can be sent", "return secret.isSendable()", "return true", "no client can send"],
  ]),
  ...guardsOf("manager/key-checks.ts", "manager/key-checks.test.ts", [
    ["keys that their provider calls invalid", 'if (verdict !== "invalid") return', "return"],
    [
      "a check's limit",
      "await within(this.#clock, withinMs, check, () => silent(provider))",
      "await check",
      "never ends",
    ],
  ]),
  ...guardsOf("secret.ts", "ground.test.ts", [
    ["toString", '  toString(): string {\n    return "[secret]";', "  toString(): string {\n    return this.#text;"],
    ["toJSON", '  toJSON(): string {\n    return "[secret]";', "  toJSON(): string {\n    return this.#text;"],
    ["hints of long keys alone", "this.#text.length < 20 ? null : ", ""],
  ]),
  ...guardsOf("errors.ts", "ground.test.ts", [
    ["every slot for retryable", "details.failures.every(", "details.failures.some("],
    ["a brand that other copies know", 'Symbol.for("byokit.error")', 'Symbol("byokit.error")'],
  ]),
];
