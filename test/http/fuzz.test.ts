import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { createHandler, type Handler, type Principal, serve } from "../../src/http/index.ts";
import { createKeyManager, createKeyring, generateKeyring, type KeyManager, memoryStore } from "../../src/index.ts";

/** Requests in all; each run sends a hundred. */
/** As many as npm test has time for; BYOKIT_FUZZ_REQUESTS asks for more. */
const requests = Number(process.env["BYOKIT_FUZZ_REQUESTS"] ?? 4_000);
const perRun = 100;
const planted = "planted-key-AbCdEfGhIjKlMnOp";
const errors: unknown[] = [];
const statuses = new Set<number>();
let handler: Handler;
let manager: KeyManager;
const authenticate = async ({ headers }: Request): Promise<Principal | null> => {
  const orgId = headers.get("authorization");
  return orgId === "left" || orgId === "right" ? { orgId, actor: `actor-of-${orgId}`, canWrite: true } : null;
};

beforeAll(async () => {
  const store = memoryStore();
  await store.migrate();
  manager = createKeyManager({ store, keyring: createKeyring(generateKeyring()), verify: "off" });
  handler = createHandler({ manager, authenticate, onError: (error) => errors.push(error) });
});

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const method = fc.oneof(
  { weight: 9, arbitrary: oneOf("GET", "POST", "DELETE") },
  oneOf("HEAD", "OPTIONS", "PUT", "PATCH", "QUERY", "x-method"),
);
const path = fc.oneof(
  { weight: 8, arbitrary: oneOf("/byok", "/byok", "/byok/verify", "/byok/audit", "/byok/config", "/openapi.json") },
  { weight: 2, arbitrary: oneOf("/byok/", "/byok/verify/", "/byok/audit/", "/byok/config/", "/openapi.json/") },
  oneOf("/healthz", "/healthz/", "/readyz", "/readyz/"),
  oneOf("/", "//byok", "/byok//", "/byok/../byok", "/byok%00", "/%62yok", "/byok/%ff", `/byok/${planted}`, "/byok;x=1"),
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

type Sent = typeof request extends fc.Arbitrary<infer T> ? T : never;
type Send = (target: string, init: RequestInit) => Promise<Response>;

/** Sends one request, and holds its answer to what every answer owes, whatever was asked. */
async function ask(send: Send, { who, method, path, query, body, contentType, headers }: Sent): Promise<void> {
  const hasBody = !["GET", "HEAD"].includes(method);
  const sent = { ...headers, authorization: who, ...(hasBody ? { "content-type": contentType } : {}) };
  const target = `${path.startsWith("/") ? "" : "/"}${path}${query}`;
  if (!URL.canParse(`http://api.example${target}`)) return;
  const response = await send(target, { method, headers: sent, body: hasBody ? body : null });
  const text = await response.text();
  statuses.add(response.status);
  expect(response.status).toBeLessThan(500);
  const shown = `${text}${JSON.stringify([...response.headers])}`;
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(shown).not.toContain("AbCdEfGh");
  expect(shown).not.toMatch(/\.ts:|node_modules|at async/u);
  if (who === "left") expect(text).not.toMatch(/-of-right/u);
  if (who === "right") expect(text).not.toMatch(/-of-left/u);
  const isSomebody = who === "left" || who === "right";
  if (!isSomebody && response.ok) expect(method === "OPTIONS" || /openapi|healthz|readyz/u.test(path)).toBe(true);
}

const batches = (send: Send) =>
  fc.asyncProperty(fc.array(request, { minLength: perRun, maxLength: perRun }), async (batch) => {
    await Promise.all(batch.map((one) => ask(send, one)));
  });

it("random and mutated requests of two organisations fail nothing, show no key, and mix nobody up", async () => {
  const send: Send = (target, init) => handler(new Request(`http://api.example${target}`, init));
  const limits = { interruptAfterTimeLimit: 150_000, markInterruptAsFailure: true };
  await fc.assert(batches(send), { numRuns: requests / perRun, ...limits });
  expect(errors).toEqual([]);
  expect([...statuses]).toEqual(expect.arrayContaining([200, 204, 400, 401, 404, 405, 413, 415, 422]));
  for (const orgId of ["left", "right"]) {
    const { entries } = await manager.audit(orgId, { limit: 200 });
    expect(entries.length).toBeGreaterThan(0);
    for (const { actor } of entries) expect(actor).toBe(`actor-of-${orgId}`);
  }
}, 180_000);

it("two thousand of them leave no key in the server's log, and no line but requests", async () => {
  const lines: string[] = [];
  const write = (fields: object, message: string): void => void lines.push(JSON.stringify({ ...fields, message }));
  await using server = await serve({ manager, authenticate, port: 0, logger: { info: write, error: write } });
  const hopByHop = new Set(["transfer-encoding"]);
  const send: Send = (target, { headers, ...init }) => {
    const kept = Object.entries(headers as Record<string, string>).filter(([name]) => !hopByHop.has(name));
    return fetch(`${server.url}${target}`, { ...init, headers: Object.fromEntries(kept) });
  };
  await fc.assert(batches(send), { numRuns: 20 });
  const [listening, ...requested] = lines.map((line) => JSON.parse(line) as { message: string });
  expect(listening?.message).toBe("listening");
  expect(requested.length).toBeGreaterThan(1_500);
  expect(requested.filter(({ message }) => message !== "request")).toEqual([]);
  expect(lines.join("")).not.toMatch(/AbCdEfGh|\.ts:|node_modules/u);
}, 60_000);
