import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { SnapshotCodec } from "../../src/coherence/snapshot-codec.ts";
import { createHandler } from "../../src/http/index.ts";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  isByokError,
  type KeyChange,
  memoryStore,
  type Provider,
  type ResolverOptions,
  type SlotCredential,
} from "../../src/index.ts";
import { copyOwn } from "../../src/own-property.ts";
import { idleCache } from "../support/idle-cache.ts";

const source = resolve(import.meta.dirname, "../../src");

/** Every property of every interface that byokit declares, and every failure: what is new there is tried here. */
function listNames(): string[] {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const declared = files
    .filter((file) => !file.startsWith("testing/"))
    .map((file) => readFileSync(join(source, file), "utf8"))
    .flatMap((text) => [...text.matchAll(/^ {2,6}(?:readonly )?(?<name>\w+)\??: \S+.*;$/gmu)]);
  const failures = ["absent", "undecryptable", "keyring_outdated", "keyring_unavailable", "store_unavailable"];
  return [...new Set([...declared.map(({ groups }) => groups?.["name"] ?? ""), ...failures])].sort();
}

/** What the language itself reads of any object: with these on `Object.prototype` no program runs. */
const ofTheLanguage: ReadonlySet<string> = new Set(["get", "set", "value", "then"]);
/** One fits some options, and another others. */
const values = [
  "platform",
  "eu",
  "off",
  true,
  7,
  () => "platform",
  { baseUrl: "https://evil.example", provider: "bob", reveal: () => "evil", verdict: "passed" },
];

const vendor = (id: string, checked: string[]): Provider => ({
  id,
  name: id,
  category: "llm",
  docsUrl: "https://vendor.example",
  serves: ["llm", "stt"],
  endpoint: { baseUrl: `https://${id}.example`, websocketUrl: `wss://${id}.example` },
  regions: { eu: { baseUrl: `https://eu.${id}.example`, websocketUrl: `wss://eu.${id}.example` } },
  ...(id === "ada" ? { accountHeaders: { project: "x-project" } } : {}),
  models: [{ id: `${id}-1`, name: "One", default: true, slot: "llm" }],
  connect: ({ baseUrl, websocketUrl }) => [baseUrl, websocketUrl],
  check: async ({ key, baseUrl, region, account }) => {
    checked.push(`${key.reveal()} ${baseUrl} ${region} ${JSON.stringify(account)}`);
    return { verdict: key.reveal().startsWith("bad") ? "invalid" : "passed" };
  },
});
const bare: Provider = {
  id: "bare",
  name: "bare",
  category: "tts",
  docsUrl: "https://vendor.example",
  serves: ["tts"],
  endpoint: { baseUrl: "https://bare.example", websocketUrl: "wss://bare.example" },
  models: [],
  connect: ({ baseUrl, websocketUrl }) => [baseUrl, websocketUrl],
};

const accountOf = ({ account }: KeyChange): unknown => JSON.stringify(account);

/** What anybody can see of a day's work. Texts that differ from one run to the next are left out. */
async function work(): Promise<unknown> {
  const seen: unknown[] = [];
  const checked: string[] = [];
  const see = async (answer: Promise<unknown> | unknown): Promise<void> => {
    try {
      seen.push(await answer);
    } catch (error) {
      const { code, message } = error as { readonly code: string; readonly message: string };
      const own = ["orgId", "provider", "slot", "reason", "retryAfterMs", "failures", "retryable"].map((name) =>
        Object.hasOwn(error as object, name) ? (error as Record<string, unknown>)[name] : "none",
      );
      seen.push([isByokError(error), code, isByokError(error) ? message : String(error), own]);
    }
  };
  const keyring = createKeyring(generateKeyring("kek-1"));
  const other = createKeyring(generateKeyring("kek-2"));
  const store = memoryStore();
  await store.migrate();
  const providers = [vendor("ada", checked), vendor("bob", checked), bare];
  const events: string[] = [];
  const manager = createKeyManager({
    store,
    keyring,
    providers,
    cache: idleCache({ invalidate: async (notice) => void events.push(JSON.stringify(notice)) }),
    endpoints: { bob: { baseUrl: "https://proxy.example" } },
  });
  await see(
    manager.set("org", { provider: "ada", apiKey: "own-ada" }).then(({ verdict, region }) => [verdict, region]),
  );
  await see(manager.set("org", { provider: "ada", apiKey: "bad-ada" }));
  await see(manager.set("org", { provider: "ada", apiKey: "own-ada", account: { project: "p" } }).then(accountOf));
  await see(manager.set("org", { provider: "bare", apiKey: "own-bare" }).then(({ verdict }) => verdict));
  await see(
    manager
      .setMany([{ orgId: "org2", provider: "bob", apiKey: "own-bob" }, null as never])
      .then((rows) =>
        rows.map((row) => [row.orgId, row.provider, Object.hasOwn(row, "seq"), Object.hasOwn(row, "error")]),
      ),
  );
  await see(manager.verify("org", "ada").then((said) => JSON.stringify({ ...said, secretId: "" })));
  await see(
    manager
      .describe("org")
      .then((keys) =>
        keys.map(({ provider, status, region, createdBy, unopened }) => [
          provider,
          status,
          region,
          createdBy,
          unopened,
        ]),
      ),
  );
  await see(
    manager
      .audit("org")
      .then(({ entries }) =>
        entries.map(({ action, region, actor, provider, verdict }) => [action, region, actor, provider, verdict]),
      ),
  );
  await see(manager.remove("org", { provider: "bob" }).then(({ verdict }) => verdict));
  seen.push(manager.config());

  const platformKeys = { ada: "platform-ada", bob: "platform-bob" };
  const options: ResolverOptions<Provider> = {
    store,
    keyring,
    providers,
    platformKeys,
    endpoints: { bob: { baseUrl: "https://proxy.example" } },
  };
  const agent = { llm_config: { provider: "ada" }, stt_config: { provider: "bob" } };
  for (const more of [{}, { keyring: other }, { fallback: { absent: "fail" } as const }, { cache: idleCache() }]) {
    await using resolver = createResolver({ ...options, ...more });
    await see(resolver.ready());
    const show = (slot: object | undefined) => {
      const { client, source, reason, model, voice, region, stale } = slot as Record<string, unknown>;
      const { key, baseUrl, websocketUrl } = (slot as { readonly credential: SlotCredential }).credential;
      const facts = [source, reason, model, voice === undefined, region, stale];
      return [client, key.reveal(), baseUrl, websocketUrl, ...facts];
    };
    await see(resolver.resolve("org", agent).then((call) => [Object.keys(call), show(call.llm), show(call.stt)]));
    await see(resolver.client("org", "bare").then(show));
    await see(resolver.resolve("org3", agent).then((call) => [show(call.llm), show(call.stt)]));
    await see(resolver.resolve("org", {}));
    const { isReady, cache, warnings } = resolver.health();
    seen.push([isReady, cache, warnings]);
  }
  for (const wrong of [{ store }, { keyring }, {}]) await see((async () => createResolver(wrong as never))());

  const codec = new SnapshotCodec(keyring.entryCipher as NonNullable<typeof keyring.entryCipher>);
  const sealedKey = {
    provider: "ada",
    name: "default",
    secretId: "s",
    region: null,
    account: null,
    kid: "k",
    sealed: "t",
  };
  const entry = codec.seal({
    orgId: "org",
    incarnation: "i",
    asOf: 1,
    changeId: "c",
    keys: new Map([["ada", { secretId: "s", region: null, account: null, reason: "keyring_outdated", sealedKey }]]),
  });
  const opened = codec.open("org", entry as Uint8Array);
  seen.push(typeof opened === "string" ? opened : [...opened.keys]);
  return JSON.stringify([seen, checked, events.map((event) => event.replace(/"seq":\d+/u, ""))]);
}

let asking: object | undefined;
const requested = memoryStore();
await requested.migrate();
const manager = createKeyManager({
  store: requested,
  keyring: createKeyring(generateKeyring()),
  providers: [vendor("ada", [])],
  checkLimits: { perMinute: 1_000 },
});
const handler = createHandler({ manager, authenticate: async () => asking as never });

/** What requests are answered. */
async function request(): Promise<unknown> {
  const seen: unknown[] = [];
  const ask = async (principal: object | undefined, method: string, path: string, body?: object): Promise<void> => {
    asking = principal;
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = body === undefined ? null : JSON.stringify(body);
    const response = await handler(new Request(`http://api.example${path}`, { method, headers, body: sent }));
    const { code, region, account, verification, details } = copyOwn(
      (await response.json()) as Record<string, unknown>,
    );
    seen.push([
      method,
      path,
      response.status,
      response.status === 200 ? [region, JSON.stringify(account), verification, details !== undefined] : code,
    ]);
  };
  const ann = { orgId: "org4", canWrite: true };
  await ask(ann, "POST", "/byok", { provider: "ada", api_key: "own-ada" });
  await ask(ann, "POST", "/byok", { provider: "ada", api_key: "own-ada", account: { project: "p" } });
  await ask({ orgId: "org4" }, "POST", "/byok", { provider: "ada", api_key: "own-ada" });
  await ask({ canWrite: true }, "GET", "/byok");
  await ask(undefined, "GET", "/byok");
  await ask(ann, "POST", "/byok/verify", { provider: "ada" });
  await ask(ann, "POST", "/byok", { api_key: "own-ada" });
  await ask(ann, "GET", "/byok");
  await ask(ann, "DELETE", "/byok");
  await ask(ann, "DELETE", "/byok", { provider: "ada" });
  seen.push(await manager.describe("org4").then((keys) => keys.length));

  return JSON.stringify(seen);
}

const clean = await work();
const cleanlyRequested = await request();
/** Of libraries, which fail then: nobody is served what is not his. */
const ofLibraries: ReadonlySet<string> = new Set(["status"]);
const names = listNames().filter(
  (name) => !ofTheLanguage.has(name) && !ofLibraries.has(name) && !Object.hasOwn(Object.prototype, name),
);

async function under(name: string, value: unknown, run: () => Promise<unknown>): Promise<unknown> {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  prototype[name] = value;
  try {
    return await run();
  } catch (error) {
    return `failed: ${error instanceof Error ? error.stack : String(error)}`;
  } finally {
    delete prototype[name];
  }
}

it("there are names to try", () => {
  expect(names).toEqual(expect.arrayContaining(["region", "verify", "fallback", "keyring_outdated", "platformKeys"]));
  expect(names).toEqual(expect.arrayContaining(["llm_config", "canWrite", "deadlineMs", "actor", "serveStaleMs"]));
});

it("nothing is another's, and nothing is weaker, under any option's name on Object.prototype", async () => {
  const bending: string[] = [];
  for (const [at, name] of names.entries()) {
    const value = values[at % values.length];
    if ((await under(name, value, work)) !== clean) bending.push(`${name}: ${String(value)}`);
  }
  expect(bending).toEqual([]);
}, 60_000);

it.each([
  ["keyring_outdated", "platform"],
  ["undecryptable", "platform"],
  ["store_unavailable", "platform"],
  ["absent", "fail"],
  ["fallback", () => "platform"],
  ["region", "eu"],
  ["account", { organization: "org-of-another" }],
  ["organization", "org-of-another"],
  ["project", "proj_of-another"],
  ["accountHeaders", { organization: "x-org" }],
  ["aco", "org-of-another"],
  ["verify", "off"],
  ["endpoints", { ada: "https://evil.example" }],
  ["websocketUrl", "wss://evil.example"],
  ["baseUrl", "https://evil.example"],
  ["platformKeys", { bare: "platform-key" }],
  ["keyring", {}],
  ["store", {}],
  ["llm_config", { provider: "bob" }],
  ["tts_config", { provider: "bare" }],
  ["provider", "bob"],
  ["model", "other"],
  ["voice", "other"],
  ["reason", "undecryptable"],
  ["code", "closed"],
  ["key", "another-key"],
  ["kid", "kek-1"],
  ["rgn", "eu"],
  ["serveStaleMs", 60_000],
  ["deadlineMs", 1],
  ["signal", {}],
  ["actor", "eve"],
  ["check", async () => ({ verdict: "passed" })],
  ["keyPrefixes", ["own"]],
  ["isRequired", true],
])("nothing is another's, and nothing is weaker, under Object.prototype.%s", async (name, value) => {
  expect(await under(name, value, work)).toBe(clean);
});

it.each([
  ["region", "eu"],
  ["account", "org-of-another"],
  ["organization", "org-of-another"],
  ["project", "proj_of-another"],
  ["orgId", "other"],
  ["actor", "eve"],
  ["provider", "bob"],
  ["api_key", "another-key"],
  ["details", "true"],
  ["anything", "else"],
])("no request is answered another way under Object.prototype.%s", async (name, value) => {
  expect(await under(name, value, request)).toBe(cleanlyRequested);
});

it("nobody may write who was not said to, under Object.prototype.canWrite", async () => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ provider: "ada", api_key: "own-ada" });
  const add = async (principal: object): Promise<number> => {
    asking = principal;
    await under("canWrite", true, () =>
      handler(new Request("http://api.example/byok", { method: "POST", headers, body })),
    );
    return (await manager.describe("org5")).length;
  };
  expect(await add({ orgId: "org5" })).toBe(0);
  expect(await add({ orgId: "org5", canWrite: true })).toBe(1);
});
