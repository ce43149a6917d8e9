import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { builtinProviders } from "../../src/providers/builtin.ts";
import type { KeyCheck, Provider } from "../../src/providers/provider.ts";
import { Secret } from "../../src/secret.ts";

let server: Server;
let answer: (response: ServerResponse) => void;
let origin: string;

beforeAll(async () => {
  server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const check = async (id: string): Promise<KeyCheck | undefined> => {
  const provider = builtinProviders.find((one) => one.id === id) as Provider | undefined;
  const credential = { key: new Secret("own-key"), region: null, baseUrl: origin, websocketUrl: origin };
  return await provider?.check?.({ ...credential, requestTimeoutMs: 2_000 }, new AbortController().signal);
};
const html = "<html>Sorry, you have been blocked. You do not have permission, API key is blocked.</html>";
const openai = (message: string, code: string | null, type = "invalid_request_error") => ({
  error: { message, code, type },
});
const elevenlabs = (status: string) => ({ detail: { status, message: "…" } });
const deepgram = (err_code: string, err_msg: string) => ({ err_code, err_msg, request_id: "r" });
const resend = (statusCode: number, name: string, message: string) => ({ statusCode, name, message });
const xai = (facts: object) => ({
  redacted_api_key: "xai-…",
  acls: ["api-key:endpoint:*", "api-key:model:*"],
  ...facts,
});

/** What providers were seen to answer, and what it says of the key. What no row knows says nothing. */
it.each([
  ["openai", 200, { data: [] }, "passed", undefined],
  ["openai", 401, openai("Incorrect API key provided: sk-…", "invalid_api_key"), "invalid", "wrong_key"],
  ["openai", 401, openai("You have insufficient permissions for this operation.", null), "restricted", "missing_scope"],
  ["openai", 401, openai("Missing scopes: api.model.read", "missing_scope"), "restricted", "missing_scope"],
  [
    "openai",
    403,
    openai("Country not supported", "unsupported_country_region_territory"),
    "unreachable",
    "provider_error",
  ],
  ["openai", 429, openai("You exceeded your current quota", "insufficient_quota"), "passed", "no_quota"],
  ["openai", 429, openai("You exceeded your quota", null, "insufficient_quota"), "passed", "no_quota"],
  ["openai", 429, openai("Rate limit reached", "rate_limit_exceeded"), "unreachable", "rate_limited"],
  ["openai", 401, openai("Your IP is not allowed", "ip_not_authorized"), "unreachable", "provider_error"],
  ["openai", 401, html, "unreachable", "provider_error"],
  ["openai", 403, html, "unreachable", "provider_error"],
  ["openai", 500, {}, "unreachable", "provider_error"],
  ["deepgram", 200, { scopes: [] }, "passed", undefined],
  ["deepgram", 401, deepgram("INVALID_AUTH", "Invalid credentials."), "invalid", "wrong_key"],
  ["deepgram", 400, deepgram("Bad Request", "Invalid credentials."), "invalid", "wrong_key"],
  ["deepgram", 403, deepgram("INSUFFICIENT_PERMISSIONS", "…"), "restricted", "missing_scope"],
  ["deepgram", 401, html, "unreachable", "provider_error"],
  ["deepgram", 403, html, "unreachable", "provider_error"],
  ["deepgram", 404, {}, "unreachable", "provider_error"],
  ["elevenlabs", 200, [], "passed", undefined],
  ["elevenlabs", 401, elevenlabs("invalid_api_key"), "invalid", "wrong_key"],
  ["elevenlabs", 400, elevenlabs("invalid_api_key"), "invalid", "wrong_key"],
  ["elevenlabs", 401, elevenlabs("missing_permissions"), "restricted", "missing_scope"],
  ["elevenlabs", 401, elevenlabs("quota_exceeded"), "passed", "no_quota"],
  ["elevenlabs", 401, elevenlabs("detected_unusual_activity"), "restricted", "blocked"],
  ["elevenlabs", 401, html, "unreachable", "provider_error"],
  ["elevenlabs", 429, elevenlabs("too_many_concurrent_requests"), "unreachable", "rate_limited"],
  ["xai", 200, xai({}), "passed", undefined],
  ["xai", 200, xai({ acls: [] }), "restricted", "missing_scope"],
  ["xai", 200, xai({ acls: ["api-key:endpoint:embed", "api-key:model:*"] }), "restricted", "missing_scope"],
  ["xai", 200, xai({ api_key_disabled: true }), "invalid", "blocked"],
  ["xai", 200, xai({ api_key_blocked: true }), "invalid", "blocked"],
  ["xai", 200, xai({ team_blocked: true }), "invalid", "blocked"],
  ["xai", 400, "Incorrect API key provided: xa***gh.", "invalid", "wrong_key"],
  ["xai", 400, { code: "…", error: "Incorrect API key provided: xa***gh." }, "invalid", "wrong_key"],
  ["xai", 403, "API key is blocked", "invalid", "blocked"],
  ["xai", 403, { error: "The caller does not have permission" }, "restricted", "missing_scope"],
  ["xai", 400, "<html>Bad gateway</html>", "unreachable", "provider_error"],
  ["xai", 403, html, "unreachable", "provider_error"],
  ["resend", 200, { data: [] }, "passed", undefined],
  ["resend", 403, resend(403, "invalid_api_key", "API key is invalid"), "invalid", "wrong_key"],
  ["resend", 400, resend(400, "validation_error", "API key is invalid"), "invalid", "wrong_key"],
  ["resend", 401, resend(401, "validation_error", "API key is invalid"), "invalid", "wrong_key"],
  ["resend", 401, resend(401, "restricted_api_key", "This API key is restricted"), "restricted", "missing_scope"],
  ["resend", 429, resend(429, "rate_limit_exceeded", "Too many requests"), "unreachable", "rate_limited"],
  ["resend", 502, html, "unreachable", "provider_error"],
] as const)("%s that answers %i %j says %s", async (id, status, body, verdict, reason) => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  answer = (response) => void response.writeHead(status).end(text);
  expect(await check(id)).toEqual(reason === undefined ? { verdict } : { verdict, reason });
});

it.each(builtinProviders.map(({ id }) => id))("a page that answers 200 in the place of %s says nothing", async (id) => {
  answer = (response) => void response.writeHead(200, { "content-type": "text/html" }).end(html);
  expect(await check(id)).toEqual({ verdict: "unreachable", reason: "provider_error" });
});

it.each(builtinProviders.map(({ id }) => id))("an answer of %s without end is not read to it", async (id) => {
  let sent = 0;
  answer = (response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, 32))) sent += 65_536;
    };
    response.writeHead(200).on("drain", more).write("[");
    more();
  };
  expect(await check(id)).toMatchObject({ verdict: "passed" });
  expect(sent).toBeLessThan(16_777_216);
});
