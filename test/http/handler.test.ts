import { describe, expect, it, vi } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import { type Authenticate, createHandler, type Principal } from "../../src/http/index.ts";
import {
  ByokError,
  type ByokErrorCode,
  createKeyManager,
  createKeyring,
  generateKeyring,
  type KeyStore,
  memoryStore,
} from "../../src/index.ts";
import { createKeyManagerOn } from "../../src/manager/create-key-manager.ts";
import { startProviderDoubles } from "../../src/testing/index.ts";
import { Api } from "../support/api.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { unsteadyStore } from "../support/unsteady-store.ts";
import { waitFor } from "../support/wait-for.ts";

const planted = "planted-key-AbCdEfGhIjKlMnOp-7890";
const keyring = createKeyring(generateKeyring());
/** A token is its organisation's name; `reader` may not write. */
const authenticate = async (request: Request): Promise<Principal | null> => {
  const orgId = /^Bearer (?<org>\S+)$/u.exec(request.headers.get("authorization") ?? "")?.groups?.["org"];
  if (orgId === undefined) return null;
  return orgId === "reader"
    ? { orgId: "org", actor: "reader", canWrite: false }
    : { orgId, actor: "ann", canWrite: true };
};
const served = async (options: { readonly store?: KeyStore; readonly clock?: Clock } = {}) => {
  const store = unsteadyStore(options.store ?? memoryStore());
  await store.migrate();
  const errors: unknown[] = [];
  const manager = createKeyManagerOn(options.clock ?? systemClock, {
    store,
    keyring,
    verify: "off",
    deadlineMs: 20_000,
  });
  const handler = createHandler({ manager, authenticate, onError: (error) => errors.push(error) });
  return { store, manager, errors, handler, api: await Api.of(handler) };
};
const key = { provider: "openai", api_key: planted };

describe("whose request it is", () => {
  it("decides the organisation, whatever body, query and headers say", async () => {
    const { api, manager } = await served();
    await api.send("POST", "/byok?org=other&orgId=other&org_id=other", {
      body: key,
      as: "mine",
      headers: { "x-org-id": "other" },
    });
    expect((await manager.list("other")).openai_secret_id).toBeNull();
    expect((await manager.list("mine")).openai_secret_id).not.toBeNull();
    expect((await api.send("GET", "/byok", { as: "other" })).json.byok_keys.openai_secret_id).toBeNull();
    for (const name of ["org", "org_id", "orgId", "organisation"]) {
      expect((await api.send("POST", "/byok", { body: { ...key, [name]: "other" } })).status).toBe(400);
    }
  });

  it("that is nobody's is 401 on every path of the document, before anything is read", async () => {
    const { api, store } = await served();
    store.isDown = true;
    expect(api.routes).toContain("DELETE /byok");
    for (const route of api.routes) {
      const [method = "", path = ""] = route.split(" ");
      const raw = method === "GET" ? {} : { raw: "x".repeat(100_000) };
      const { status, json, headers } = await api.send(method, path, { as: null, ...raw });
      expect([route, status, json.code]).toEqual([route, 401, "unauthenticated"]);
      expect(headers.get("www-authenticate")).toBe("Bearer");
    }
  });

  it("that is nobody's is 401 on paths and for methods that are not there, too", async () => {
    const { api } = await served();
    for (const route of [
      "GET /byok/",
      "GET /byok/nothing",
      "POST /byok/config/x",
      "PUT /byok",
      "OPTIONS /byok/nothing",
    ]) {
      const [method = "", path = ""] = route.split(" ");
      expect([route, (await api.send(method, path, { as: null })).status]).toEqual([route, 401]);
    }
    expect((await api.send("GET", "/nothing", { as: null })).status).toBe(404);
  });

  it("is asked once a request", async () => {
    const { manager } = await served();
    const somebody = vi.fn(authenticate);
    const api = await Api.of(createHandler({ manager, authenticate: somebody }));
    for (const path of ["/byok", "/byok/config", "/byok/nothing"]) await api.send("GET", path);
    expect(somebody).toHaveBeenCalledTimes(3);
  });

  it("that may only be read is 403 for every method but GET, before the store is touched", async () => {
    const { api, store } = await served();
    store.isDown = true;
    const writing = api.routes.filter((route) => !route.startsWith("GET "));
    expect(writing).toContain("DELETE /byok");
    for (const route of writing) {
      const [method = "", path = ""] = route.split(" ");
      const { status, json } = await api.send(method, path, { as: "reader", body: key });
      expect([route, status, json.code]).toEqual([route, 403, "forbidden"]);
    }
    store.isDown = false;
    expect((await api.send("GET", "/byok?details=true", { as: "reader" })).status).toBe(200);
  });

  it("is asked with method, URL and headers, and never with the body", async () => {
    const { manager } = await served();
    const seen: Request[] = [];
    const nobody = async (request: Request): Promise<null> => {
      seen.push(request);
      return null;
    };
    const handler = createHandler({ manager, authenticate: nobody });
    await handler(new Request("http://x/byok?a=b", { method: "POST", headers: { cookie: "c" }, body: planted }));
    expect([seen[0]?.method, seen[0]?.url, seen[0]?.headers.get("cookie")]).toEqual(["POST", "http://x/byok?a=b", "c"]);
    expect(seen[0]?.body).toBeNull();
  });

  it("is what was told when it was asked, whatever becomes of the platform's object", async () => {
    const { manager } = await served();
    const shared = { orgId: "mine", canWrite: true };
    const handler = createHandler({ manager, authenticate: async () => shared });
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          shared.orgId = "other";
          controller.enqueue(Buffer.from(JSON.stringify(key)));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { "content-type": "application/json" };
    await handler(new Request("http://x/byok", { method: "POST", headers, body, duplex: "half" } as RequestInit));
    expect((await manager.list("other")).openai_secret_id).toBeNull();
    expect((await manager.list("mine")).openai_secret_id).not.toBeNull();
  });

  it("is 503 while it cannot be told, and the operator hears why", async () => {
    const { manager } = await served();
    const onError = vi.fn();
    const failing = createHandler({ manager, onError, authenticate: () => Promise.reject(new Error("no sessions")) });
    const { status, headers } = await (await Api.of(failing)).send("GET", "/byok");
    expect([status, headers.get("retry-after")]).toEqual([503, "2"]);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ message: "no sessions" })]]);
  });

  it("is 503 when it is not told within five seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { manager } = await served();
      const handler = createHandler({ manager, authenticate: () => new Promise<never>(() => {}) });
      const answer = handler(new Request("http://x/byok"));
      await vi.advanceTimersByTimeAsync(5_000);
      expect((await answer).status).toBe(503);
    } finally {
      vi.useRealTimers();
    }
  });

  it("may be told by a function that makes no promise, or throws at once", async () => {
    const { manager } = await served();
    const statusWith = async (answer: () => Principal): Promise<number> => {
      const handler = createHandler({ manager, authenticate: answer as unknown as Authenticate });
      return (await (await Api.of(handler)).send("GET", "/byok")).status;
    };
    const failing = (): Principal => {
      throw new Error("no sessions");
    };
    expect(await statusWith(() => ({ orgId: "org", canWrite: false }))).toBe(200);
    expect(await statusWith(failing)).toBe(503);
  });

  it.each([
    { orgId: "", canWrite: true },
    { orgId: "a\u0000", canWrite: true },
    { orgId: "org", actor: "", canWrite: true },
    { orgId: "org" },
    { orgId: "org", canWrite: 0 },
    { orgId: "org", canWrite: null },
    { orgId: "org", canWrite: "false" },
    {},
  ])("that is told as %j is the platform's own fault: 500", async (principal) => {
    const { manager, store } = await served();
    const onError = vi.fn();
    const handler = createHandler({ manager, onError, authenticate: async () => principal as Principal });
    const api = await Api.of(handler);
    expect((await api.send("GET", "/byok/config")).status).toBe(500);
    expect((await api.send("POST", "/byok", { body: key })).status).toBe(500);
    expect(onError).toHaveBeenCalledTimes(2);
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0 }]);
  });
});

describe("a body", () => {
  it.each([
    ["no JSON", "{", "body_malformed"],
    ["no object", "[]", "body_malformed"],
    ["null", "null", "body_malformed"],
    ["no key", '{"provider":"openai"}', "body_malformed"],
    ["a key that is no text", '{"provider":"openai","api_key":7}', "body_malformed"],
    ["deep nesting", `{"provider":${"[".repeat(4_000)}${"]".repeat(4_000)}}`, "body_malformed"],
    ["a prototype", '{"__proto__":{},"provider":"openai","api_key":"k"}', "body_malformed"],
    ["an empty account", '{"provider":"openai","api_key":"k","account":{}}', "body_malformed"],
    ["an empty organization", '{"provider":"openai","api_key":"k","account":{"organization":""}}', "body_malformed"],
    ["an account that is a text", '{"provider":"openai","api_key":"k","account":"org-1"}', "body_malformed"],
    [
      "an organization that would end its header",
      '{"provider":"openai","api_key":"k","account":{"organization":"org-1\\r\\nx: y"}}',
      "body_malformed",
    ],
    [
      "another name in an account",
      '{"provider":"openai","api_key":"k","account":{"organization":"org-1","user":"u"}}',
      "body_malformed",
    ],
    [
      "broken UTF-8",
      new Uint8Array(Buffer.from('{"provider":"openai","api_key":"own-key-\xff"}', "latin1")),
      "body_malformed",
    ],
    ["an unknown provider", '{"provider":"nobody","api_key":"k"}', "provider_unknown"],
    ["an unsupported account", '{"provider":"xai","api_key":"k","account":{"project":"p"}}', "account_unsupported"],
    ["an unknown region", '{"provider":"openai","api_key":"k","region":"mars"}', "region_unknown"],
    ["another provider's key", '{"provider":"openai","api_key":"xai-abc"}', "key_malformed"],
  ])("with %s is refused", async (_name, raw, code) => {
    const { api, store } = await served();
    const { status, json } = await api.send("POST", "/byok", { raw, headers: { "content-type": "application/json" } });
    expect([status, json.code]).toEqual([code === "body_malformed" ? 400 : 422, code]);
    expect(await store.snapshots(["org"])).toMatchObject([{ asOf: 0 }]);
  });

  it("of more than 16 KiB is 413, whether or not it says so, and is not read to its end", async () => {
    const { api, handler } = await served();
    const large = { raw: `{"provider":"${"x".repeat(16_384)}"}`, headers: { "content-type": "application/json" } };
    expect((await api.send("POST", "/byok", large)).json.code).toBe("body_too_large");
    const lying = { ...large, headers: { ...large.headers, "content-length": "5" } };
    expect((await api.send("POST", "/byok", lying)).status).toBe(413);
    let pulls = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1;
        controller.enqueue(new Uint8Array(1_000));
      },
    });
    const headers = { authorization: "Bearer org", "content-type": "application/json" };
    const streaming = { method: "POST", body: endless, duplex: "half", headers } as const;
    expect((await handler(new Request("http://x/byok", streaming))).status).toBe(413);
    expect(pulls).toBeLessThan(30);
  });

  it("that never comes to its end is 408", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { handler } = await served();
      const stalled = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
      const streaming = {
        method: "POST",
        body: stalled,
        duplex: "half",
        headers: { authorization: "Bearer org" },
      } as const;
      const answer = handler(new Request("http://x/byok", streaming));
      await vi.advanceTimersByTimeAsync(10_000);
      expect((await answer).status).toBe(408);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application/vnd.api+json",
    "",
  ])("of the type %j is 415", async (type) => {
    const { api } = await served();
    const { status, json } = await api.send("POST", "/byok", {
      raw: JSON.stringify(key),
      headers: { "content-type": type },
    });
    expect([status, json.code]).toEqual([415, "content_type_unsupported"]);
  });

  it("of the type application/json with a charset is read", async () => {
    const { api } = await served();
    for (const type of ["Application/JSON; charset=utf-8", "application/json ; charset=utf-8"]) {
      const sent = { raw: JSON.stringify(key), headers: { "content-type": type } };
      expect((await api.send("POST", "/byok", sent)).status).toBe(200);
    }
  });

  it("has its unknown fields named where they look like names, and never where they look like keys", async () => {
    const { api } = await served();
    const { json, text } = await api.send("POST", "/byok", { body: { ...key, apikey: "v1", [planted]: "v2" } });
    expect(json.detail).toContain('"apikey"');
    expect(text).not.toMatch(/planted|v1|v2/u);
    const { text: alone } = await api.send("POST", "/byok", { body: { [planted]: planted } });
    expect(alone).not.toContain("planted");
  });

  it("may be missing in a DELETE, whose provider then stands in the query", async () => {
    const { api, manager } = await served();
    await api.send("POST", "/byok", { body: key });
    expect((await api.send("DELETE", "/byok")).json.code).toBe("body_malformed");
    const two = await api.send("DELETE", "/byok?provider=xai", { body: { provider: "openai" } });
    expect(two.status).toBe(400);
    const dropped = { headers: { "content-type": "application/json" } };
    expect((await api.send("DELETE", "/byok?provider=openai", dropped)).status).toBe(200);
    expect((await manager.list("org")).openai_secret_id).toBeNull();
    expect((await api.send("DELETE", "/byok?provider=openai")).json).toMatchObject({ success: true, seq: 2 });
    expect((await api.send("DELETE", "/byok?provider=nobody")).json.code).toBe("provider_unknown");
  });
});

describe("paths and methods", () => {
  it("that are not there are 404, and methods that are not there 405 with Allow", async () => {
    const { api } = await served();
    for (const path of ["/", "/byok//", "/byok/nothing", "/BYOK", "/byok/config/x"]) {
      expect([path, (await api.send("GET", path)).status]).toEqual([path, 404]);
    }
    for (const [method, path, allow] of [
      ["PUT", "/byok", "GET, HEAD, POST, DELETE, OPTIONS"],
      ["PATCH", "/byok/config", "GET, HEAD, OPTIONS"],
      ["GET", "/byok/verify", "POST, OPTIONS"],
      ["POST", "/openapi.json", "GET, HEAD, OPTIONS"],
    ] as const) {
      const { status, headers } = await api.send(method, path);
      expect([status, headers.get("allow")]).toEqual([405, allow]);
    }
  });

  it("answer HEAD as GET without a body, and OPTIONS without asking who", async () => {
    const { api } = await served();
    for (const path of ["/byok", "/byok/config", "/byok/audit", "/openapi.json"]) {
      const [head, get] = [await api.send("HEAD", path), await api.send("GET", path)];
      expect([head.status, head.text]).toEqual([200, ""]);
      expect([...head.headers]).toEqual([...get.headers]);
      const { status, headers } = await api.send("OPTIONS", path, { as: null });
      expect([status, headers.get("allow")?.includes("GET")]).toEqual([204, true]);
    }
  });

  it("stand below the base path, in the description too", async () => {
    const { manager } = await served();
    const handler = createHandler({ manager, authenticate, basePath: "/v1/keys" });
    const statusOf = async (path: string) =>
      (await handler(new Request(`http://x${path}`, { headers: { authorization: "Bearer org" } }))).status;
    expect(
      await Promise.all(["/v1/keys/byok", "/v1/keys/openapi.json", "/byok", "/v1/keysbyok"].map(statusOf)),
    ).toEqual([200, 200, 404, 404]);
    const document = await (await handler(new Request("http://x/v1/keys/openapi.json"))).text();
    expect(document).toContain('"/v1/keys/byok/config"');
    for (const basePath of ["/v1/", "v1", "/"]) {
      expect(() => createHandler({ manager, authenticate, basePath })).toThrow(ByokError);
    }
  });

  it.each(["", "/v1"])("answer with a slash at their end as without, below %j", async (basePath) => {
    const { manager } = await served();
    const handler = createHandler({ manager, authenticate, basePath });
    const ask = async (method: string, path: string, as?: string) => {
      const headers = { "content-type": "application/json", ...(as === undefined ? {} : { authorization: as }) };
      const body = ["GET", "HEAD", "OPTIONS"].includes(method) ? null : '{"provider":"openai"}';
      const response = await handler(new Request(`http://x${basePath}${path}`, { method, headers, body }));
      return [response.status, response.headers.get("allow"), response.headers.get("cache-control")];
    };
    for (const path of ["/byok", "/byok/verify", "/byok/audit", "/byok/config", "/openapi.json"]) {
      for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE"]) {
        for (const as of [undefined, "Bearer org", "Bearer reader"]) {
          expect([path, method, await ask(method, `${path}/`, as)]).toEqual([
            path,
            method,
            await ask(method, path, as),
          ]);
        }
      }
    }
    expect((await ask("GET", "/byok/"))[0]).toBe(401);
    expect((await ask("GET", "/byok/", "Bearer org"))[0]).toBe(200);
  });

  it("are answered with nosniff, whatever the answer is", async () => {
    const { api, handler, store } = await served();
    const ask = async (method: string, path: string, authorization = "Bearer org") => {
      const response = await handler(new Request(`http://x${path}`, { method, headers: { authorization } }));
      return [response.status, response.headers.get("x-content-type-options")];
    };
    const tag = (await api.send("GET", "/byok/config")).headers.get("etag") ?? "";
    const again = await api.send("GET", "/byok/config", { headers: { "if-none-match": tag } });
    expect([again.status, again.headers.get("x-content-type-options")]).toEqual([304, "nosniff"]);
    expect(await ask("GET", "/byok")).toEqual([200, "nosniff"]);
    expect(await ask("OPTIONS", "/byok")).toEqual([204, "nosniff"]);
    expect(await ask("GET", "/openapi.json")).toEqual([200, "nosniff"]);
    expect(await ask("POST", "/byok")).toEqual([400, "nosniff"]);
    expect(await ask("GET", "/byok", "")).toEqual([401, "nosniff"]);
    expect(await ask("GET", "/nowhere")).toEqual([404, "nosniff"]);
    expect(await ask("PUT", "/byok")).toEqual([405, "nosniff"]);
    store.isDown = true;
    expect(await ask("GET", "/byok")).toEqual([503, "nosniff"]);
  });

  it("are never stored by a cache but the catalogue, which is asked for anew by its tag", async () => {
    const { api } = await served();
    for (const path of ["/byok", "/byok/audit", "/nothing", "/byok?details=x"]) {
      expect((await api.send("GET", path)).headers.get("cache-control")).toBe("no-store");
    }
    const { headers } = await api.send("GET", "/byok/config");
    expect(headers.get("cache-control")).toBe("private, no-cache");
    const again = await api.send("GET", "/byok/config", { headers: { "if-none-match": headers.get("etag") ?? "" } });
    expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", headers.get("etag")]);
  });
});

describe("what is shown of keys", () => {
  it("has details where they are asked for, for every provider and never the key", async () => {
    const { api } = await served();
    await api.send("POST", "/byok", { body: { ...key, region: "eu", account: { organization: "org-1" } } });
    const { json, text } = await api.send("GET", "/byok?details=true");
    expect(json.details.openai).toEqual({
      secret_id: json.byok_keys.openai_secret_id,
      hint: "7890",
      status: "unchecked",
      region: "eu",
      account: { organization: "org-1", project: null },
      created_at: expect.any(String),
      created_by: "ann",
      last_checked_at: null,
    });
    expect(json.details.deepgram).toBeNull();
    expect(text).not.toContain("planted");
  });

  it("has what a key works for, as it was sent, kept and cleared", async () => {
    const { api } = await served();
    const account = { organization: "org-1", project: "proj_1" };
    const post = async (more: object) => (await api.send("POST", "/byok", { body: { ...key, ...more } })).json.account;
    expect(await post({ account })).toEqual(account);
    expect(await post({})).toEqual(account);
    expect(await post({ account: { organization: null, project: "proj_2" } })).toEqual({
      organization: null,
      project: "proj_2",
    });
    expect(await post({ account: null })).toBeNull();
    const { json } = await api.send("GET", "/byok/audit");
    expect(json.audit.map((entry: { readonly account: unknown }) => entry.account)).toContainEqual(account);
  });

  it("lists every key although one does not open", async () => {
    const { api, store } = await served();
    await api.send("POST", "/byok", { body: key });
    const [snapshot] = await store.snapshots(["org"]);
    const [own] = snapshot?.keys ?? [];
    if (own === undefined) throw new Error("Nothing is stored.");
    const spoilt = { ...own, orgId: "org", provider: "xai", secretId: "s2", hint: null, actor: null };
    await store.put({ ...spoilt, verdict: "passed", place: null });
    const { status, json } = await api.send("GET", "/byok?details=true");
    expect([status, json.details.xai.status, json.details.openai.status]).toEqual([200, "needs_reentry", "unchecked"]);
    expect((await api.send("POST", "/byok/verify", { body: { provider: "xai" } })).json.code).toBe("key_undecryptable");
  });

  it("asks no customer to mend what only this process cannot open, and tells the operator", async () => {
    const { store } = await served();
    const newer = createKeyManager({ store, keyring: createKeyring(generateKeyring("newer")), verify: "off" });
    await newer.set("org", { provider: "openai", apiKey: key.api_key });
    const older = createKeyManager({ store, keyring: createKeyring(generateKeyring("older")), verify: "off" });
    const onError = vi.fn();
    const api = await Api.of(createHandler({ manager: older, authenticate, onError }));
    const { json } = await api.send("GET", "/byok?details=true");
    expect(json.details.openai.status).toBe("unchecked");
    const asked = await api.send("POST", "/byok/verify", { body: { provider: "openai" } });
    expect([asked.status, asked.json.code, asked.json.retryable]).toEqual([503, "keyring_outdated", true]);
    expect(asked.json.detail).not.toMatch(/enter/iu);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "keyring_outdated" })]]);
  });

  it("has an audit trail in pages, of the own organisation", async () => {
    const { api } = await served();
    await api.send("POST", "/byok", { body: key });
    await api.send("POST", "/byok", { body: key, as: "other" });
    await api.send("DELETE", "/byok", { body: { provider: "openai" } });
    const first = await api.send("GET", "/byok/audit?limit=1");
    expect(first.json).toMatchObject({ audit: [{ seq: 3, action: "removed", actor: "ann", hint: "7890" }], next: 3 });
    const second = await api.send("GET", `/byok/audit?before=${first.json.next}`);
    expect(second.json).toMatchObject({ audit: [{ seq: 1, action: "added", verification: "skipped" }], next: null });
    for (const query of ["limit=0", "limit=201", "limit=x", "before=-1", "before=1.5", "before=1e99"]) {
      expect((await api.send("GET", `/byok/audit?${query}`)).json.code).toBe("query_malformed");
    }
  });

  it("shows what calls found out of a key as its status, and once for each state in the audit trail", async () => {
    const { api, store } = await served();
    const secretId = (await api.send("POST", "/byok", { body: key })).json.byok_keys.openai_secret_id;
    const use = { orgId: "org", provider: "openai", name: "default", secretId };
    const states = [
      ["exhausted", "exhausted"],
      ["invalid", "rejected"],
      ["passed", "ok"],
      ["exhausted", "exhausted"],
    ] as const;
    for (const [verdict, status] of states) {
      expect(await store.noteUse?.({ ...use, verdict })).toBe(true);
      const { details } = (await api.send("GET", "/byok?details=true")).json;
      expect(details.openai).toMatchObject({ status, last_checked_at: expect.any(String) });
    }
    const observed = { action: "observed", actor: null, seq: null, secret_id: secretId, hint: "7890" };
    expect((await api.send("GET", "/byok/audit")).json.audit).toMatchObject([
      { ...observed, verification: "passed" },
      { ...observed, verification: "invalid" },
      { ...observed, verification: "exhausted" },
      { action: "added", actor: "ann" },
    ]);
  });

  it("is checked with the provider when a key is added and when it is asked for, and kept as its status", async () => {
    await using doubles = await startProviderDoubles();
    const store = memoryStore();
    await store.migrate();
    const manager = createKeyManager({ store, keyring, endpoints: doubles.endpoints, deadlineMs: 20_000 });
    const api = await Api.of(createHandler({ manager, authenticate }));
    const rejected = await api.send("POST", "/byok", { body: key });
    expect([rejected.status, rejected.json.code, rejected.json.reason]).toEqual([422, "key_rejected", "wrong_key"]);
    expect(rejected.text).not.toContain("planted");
    doubles.accept("openai", planted, { restricted: true });
    const stored = (await api.send("POST", "/byok", { body: key })).json;
    expect([stored.verification, stored.reason]).toEqual(["restricted", "missing_scope"]);
    doubles.revoke("openai", planted);
    const verified = await api.send("POST", "/byok/verify", { body: { provider: "openai" } });
    expect(verified.json).toMatchObject({ verification: "invalid", status: "rejected", reason: "wrong_key" });
    const { json } = await api.send("GET", "/byok?details=true");
    expect(json.details.openai).toMatchObject({ status: "rejected", last_checked_at: expect.any(String) });
    expect((await api.send("POST", "/byok/verify", { body: { provider: "xai" } })).status).toBe(404);
  });
});

describe("keys that are checked too often", () => {
  it("are 429 with Retry-After, which the document announces, until the check that it names", async () => {
    await using doubles = await startProviderDoubles({ keys: { openai: [planted] } });
    const store = memoryStore();
    await store.migrate();
    const clock = new ManualClock();
    const checkLimits = { perMinute: 2 };
    const manager = createKeyManagerOn(clock, { store, keyring, endpoints: doubles.endpoints, checkLimits });
    const onError = vi.fn();
    const api = await Api.of(createHandler({ manager, authenticate, onError }));
    const add = () => api.send("POST", "/byok", { body: key });
    const verify = () => api.send("POST", "/byok/verify", { body: { provider: "openai" } });
    expect([(await add()).status, (await verify()).status]).toEqual([200, 200]);
    clock.pauseProcess(500);
    for (const request of [add, verify]) {
      const { status, headers, json, text } = await request();
      expect([status, headers.get("retry-after"), json.code, json.retryable]).toEqual([
        429,
        "30",
        "checks_limited",
        true,
      ]);
      expect(text).not.toContain("planted");
    }
    expect((await api.send("POST", "/byok", { body: key, as: "other" })).status).toBe(200);
    expect((await api.send("DELETE", "/byok?provider=openai")).status).toBe(200);
    expect(onError).not.toHaveBeenCalled();
    clock.pauseProcess(29_500);
    expect((await add()).status).toBe(200);
  });

  it("are told to wait for a second at least", async () => {
    const { manager } = await served();
    for (const retryAfterMs of [1, undefined]) {
      const limited = new ByokError("checks_limited", "Try again.", { retryAfterMs });
      const busy = { ...manager, set: () => Promise.reject(limited) };
      const { headers } = await (await Api.of(createHandler({ manager: busy, authenticate }))).send("POST", "/byok", {
        body: key,
      });
      expect(headers.get("retry-after")).toBe("1");
    }
  });
});

describe("an outage", () => {
  it("is 503 with Retry-After, and says nothing of the database", async () => {
    const { api, store, errors } = await served();
    store.isDown = true;
    for (const [method, path] of [
      ["GET", "/byok"],
      ["GET", "/byok?details=true"],
      ["POST", "/byok"],
      ["DELETE", "/byok?provider=openai"],
      ["GET", "/byok/audit"],
      ["POST", "/byok/verify"],
    ] as const) {
      const { status, headers, json } = await api.send(
        method,
        path,
        method === "POST" ? { body: path === "/byok" ? key : { provider: "openai" } } : {},
      );
      expect([status, headers.get("retry-after"), json.code, json.retryable]).toEqual([
        503,
        "2",
        "store_unavailable",
        true,
      ]);
      expect(json.detail).not.toContain("link");
    }
    expect(errors).toHaveLength(6);
  });

  it("in which a change may or may not be stored is 503, and the same request again ends in the right state", async () => {
    const clock = new ManualClock();
    const { api, store } = await served({ clock });
    const release = store.hold();
    const first = api.send("POST", "/byok", { body: { ...key, region: null, account: null } });
    await waitFor(() => expect(store.sent.puts).toBe(1));
    await clock.advance(20_000);
    expect((await first).json.code).toBe("deadline_exceeded");
    release();
    store.flow();
    expect((await api.send("POST", "/byok", { body: key })).status).toBe(200);
    const [snapshot] = await store.snapshots(["org"]);
    expect(snapshot?.keys).toHaveLength(1);
  });

  it("of a code that only another copy of the package knows is 500, and the operator is told of it", async () => {
    const { manager } = await served();
    const newer = new ByokError("invented_later" as ByokErrorCode, `Newer than this, with ${planted}.`);
    const onError = vi.fn();
    const broken = { ...manager, list: () => Promise.reject(newer) };
    const api = await Api.of(createHandler({ manager: broken, authenticate, onError }));
    const { status, json, text } = await api.send("GET", "/byok");
    expect([status, json.code]).toEqual([500, "internal"]);
    expect(text).not.toContain("planted");
    expect(onError.mock.calls).toEqual([[newer]]);
  });

  it("of byokit itself is 500 without a word of it, and a log that fails changes nothing", async () => {
    const { manager } = await served();
    const broken = { ...manager, list: () => Promise.reject(new Error(`broken with ${planted}`)) };
    const onError = vi.fn(() => {
      throw new Error("The log is full.");
    });
    const api = await Api.of(createHandler({ manager: broken, authenticate, onError }));
    const { status, json, text } = await api.send("GET", "/byok");
    expect([status, json.code]).toEqual([500, "internal"]);
    expect(text).not.toMatch(/planted|broken|at /u);
    expect(onError).toHaveBeenCalledOnce();
  });
});
