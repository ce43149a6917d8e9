import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { createHandler, type Handler, type Principal } from "../../src/http/index.ts";
import { createKeyManager, createKeyring, generateKeyring, type KeyManager, memoryStore } from "../../src/index.ts";

/** Requests in all; each run sends a hundred. */
const requests = 100_000;
const perRun = 100;
const planted = "planted-key-AbCdEfGhIjKlMnOp";
const errors: unknown[] = [];
let handler: Handler;
let manager: KeyManager;

beforeAll(async () => {
  const store = memoryStore();
  await store.migrate();
  manager = createKeyManager({ store, keyring: createKeyring(generateKeyring()), verify: "off" });
  const authenticate = async ({ headers }: Request): Promise<Principal | null> => {
    const orgId = headers.get("authorization");
    return orgId === "left" || orgId === "right" ? { orgId, actor: `actor-of-${orgId}` } : null;
  };
  handler = createHandler({ manager, authenticate, onError: (error) => errors.push(error) });
});

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const method = fc.oneof(
  { weight: 9, arbitrary: oneOf("GET", "POST", "DELETE") },
  oneOf("HEAD", "OPTIONS", "PUT", "PATCH", "QUERY", "x-method"),
);
const path = fc.oneof(
  { weight: 8, arbitrary: oneOf("/byok", "/byok", "/byok/verify", "/byok/audit", "/byok/config", "/openapi.json") },
  oneOf("/", "//byok", "/byok/", "/byok/../byok", "/byok%00", "/%62yok", "/byok/%ff", `/byok/${planted}`, "/byok;x=1"),
  fc.webPath(),
);
const query = fc.oneof(
  { weight: 6, arbitrary: fc.constant("") },
  oneOf(
    "?details=true",
    "?limit=3",
    "?before=2",
    "?provider=openai",
    "?provider=openai&provider=xai",
    "?org=left",
    "?%",
  ),
  fc.webQueryParameters().map((text) => `?${text}`),
  fc.constant(`?limit=${planted}&before=${planted}&details=${planted}`),
);
const provider = fc.oneof(
  { weight: 5, arbitrary: oneOf("openai", "deepgram", "xai", "resend") },
  fc.string(),
  fc.constant(planted),
);
const key = fc.oneof(
  oneOf("own-key", planted, `${planted}\n`, "", " ", "k\u0000y", "\ud800", "sk-ant-x"),
  fc.string({ unit: "binary" }),
  fc.constant("k".repeat(600)),
);
const body = fc.oneof(
  { weight: 6, arbitrary: fc.record({ provider, api_key: key }).map((value) => JSON.stringify(value)) },
  { weight: 3, arbitrary: fc.record({ provider }).map((value) => JSON.stringify(value)) },
  fc
    .record({ provider, api_key: key, region: fc.oneof(fc.constant(null), oneOf("eu", "mars", "toString", planted)) })
    .map((value) => JSON.stringify(value)),
  fc
    .tuple(provider, provider, key)
    .map(
      ([a, b, c]) => `{"provider":${JSON.stringify(a)},"provider":${JSON.stringify(b)},"api_key":${JSON.stringify(c)}}`,
    ),
  fc.json(),
  fc
    .dictionary(
      fc.oneof(oneOf("__proto__", "constructor", "provider", "api_key", planted, "org_id"), fc.string()),
      fc.jsonValue(),
    )
    .map((value) => JSON.stringify(value)),
  fc.nat(9_000).map((depth) => "[".repeat(depth)),
  fc.nat(20_000).map((length) => `{"provider":"${"x".repeat(length)}"}`),
  fc.string({ unit: "binary" }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => new Uint8Array(bytes)),
);
const contentType = fc.oneof(
  { weight: 8, arbitrary: fc.constant("application/json") },
  oneOf(
    "text/plain",
    "application/json; charset=utf-16",
    "application/vnd.api+json",
    "multipart/form-data",
    ";",
    planted,
  ),
);
const headerNames = [
  "x-request-id",
  "x-org-id",
  "if-none-match",
  "accept",
  "content-encoding",
  "transfer-encoding",
  "x-forwarded-for",
  "cookie",
];
const headers = fc.dictionary(
  oneOf(...headerNames),
  oneOf(planted, "right", "gzip", "*", "chunked", "a".repeat(5_000)),
  { maxKeys: 2 },
);
const request = fc.record({
  who: fc.oneof({ weight: 9, arbitrary: oneOf("left", "right") }, oneOf("nobody", "")),
  method,
  path,
  query,
  body,
  contentType,
  headers,
});

/** What every answer must hold, whatever was asked. */
async function ask({
  who,
  method,
  path,
  query,
  body,
  contentType,
  headers,
}: typeof request extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
  const hasBody = !["GET", "HEAD"].includes(method);
  const sent = { ...headers, authorization: who, ...(hasBody ? { "content-type": contentType } : {}) };
  const url = `http://api.example${path.startsWith("/") ? "" : "/"}${path}${query}`;
  if (!URL.canParse(url)) return;
  const response = await handler(new Request(url, { method, headers: sent, body: hasBody ? body : null }));
  const text = await response.text();
  expect(response.status).toBeLessThan(500);
  const shown = `${text}${JSON.stringify([...response.headers])}`;
  expect(shown).not.toContain("AbCdEfGh");
  expect(shown).not.toMatch(/\.ts:|node_modules|at async/u);
  if (who === "left") expect(text).not.toMatch(/-of-right/u);
  if (who === "right") expect(text).not.toMatch(/-of-left/u);
  if (who !== "left" && who !== "right" && response.ok)
    expect(method === "OPTIONS" || path.includes("openapi")).toBe(true);
}

it("a hundred thousand random and mutated requests of two organisations fail nothing, show no key, and mix nobody up", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: perRun, maxLength: perRun }), async (batch) => {
      await Promise.all(batch.map(ask));
    }),
    { numRuns: requests / perRun, interruptAfterTimeLimit: 150_000, markInterruptAsFailure: true },
  );
  expect(errors).toEqual([]);
  for (const orgId of ["left", "right"]) {
    const { entries } = await manager.audit(orgId, { limit: 200 });
    expect(entries.length).toBeGreaterThan(0);
    for (const { actor } of entries) expect(actor).toBe(`actor-of-${orgId}`);
  }
}, 180_000);
