import { subscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { anthropic } from "../../examples/providers/anthropic.ts";
import { assemblyai } from "../../examples/providers/assemblyai.ts";
import { cartesia } from "../../examples/providers/cartesia.ts";
import { deepgram, defineProvider, elevenlabs, openai, resend, xai } from "../../src/index.ts";
import type { Egress } from "../../src/providers/egress/egress.ts";
import type { SlotWebSocket } from "../../src/providers/egress/slot-websocket.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { providerContract } from "../../src/testing/index.ts";
import { poisonedEnvironment } from "../providers/poisoned-environment.ts";

const variables = Object.keys(poisonedEnvironment).filter((name) => !/LOG|DEBUG/u.test(name));
const closed = (socket: SlotWebSocket): Promise<unknown> =>
  new Promise((resolve) => socket.on("error", () => {}).on("close", () => resolve(undefined)));

describe("openai", () => providerContract(it, openai, { request: (client) => client.models.list(), variables }));
describe("xai", () => providerContract(it, xai, { request: (client) => client.models.list(), variables }));
describe("deepgram", () =>
  providerContract(it, deepgram, { request: (client) => client.manage.v1.projects.list(), variables }));
describe("elevenlabs", () =>
  providerContract(it, elevenlabs, { request: (client) => client.models.list(), variables }));
describe("resend", () => providerContract(it, resend, { request: (client) => client.domains.list(), variables }));

describe("anthropic, of one's own", () =>
  providerContract(it, anthropic, {
    request: (client) => client.models.list(),
    variables: [
      "ANTHROPIC_AUTH_TOKEN",
      "ANTHROPIC_BASE_URL",
      "ANTHROPIC_CUSTOM_HEADERS",
      "ANTHROPIC_WEBHOOK_SIGNING_KEY",
    ],
  }));
describe("cartesia, of one's own", () =>
  providerContract(it, cartesia, {
    request: (client) => client.voices.list(),
    variables: ["CARTESIA_BASE_URL", "CARTESIA_CUSTOM_HEADERS"],
  }));
describe("assemblyai, of one's own", () =>
  providerContract(it, assemblyai, {
    request: async (client) => await (await client.transcript("one")).json(),
    socket: (client) => closed(client.stream(16_000)),
  }));

const { connect: _connect, ...facts } = assemblyai as Provider;

/** The names of the contract's tests that fail for a provider whose client is of `connect`. */
async function failuresOf(connect: (egress: Egress) => { request(): Promise<Response> }): Promise<string[]> {
  const tests: [name: string, run: () => Promise<void>][] = [];
  const provider = defineProvider({ ...facts, connect });
  const request = async (client: ReturnType<typeof connect>): Promise<unknown> => await (await client.request()).json();
  providerContract((name, run) => tests.push([name, run]), provider, { request });
  const failed: string[] = [];
  for (const [name, run] of tests) await run().catch(() => failed.push(name));
  return failed;
}

describe("the contract finds a client that", () => {
  it("keeps it: nothing", async () => {
    expect(await failuresOf(({ baseUrl, fetch }) => ({ request: () => fetch(`${baseUrl}/v2`) }))).toEqual([]);
  });

  it("sends the environment's key", async () => {
    const connect = ({ baseUrl, fetch }: Egress) => ({
      request: () => fetch(`${baseUrl}/v2`, { headers: { "user-agent": process.env["ASSEMBLYAI_API_KEY"] ?? "" } }),
    });
    const failed = await failuresOf(connect);
    expect(failed).toContainEqual(expect.stringContaining("nothing of the environment"));
    expect(failed).toContainEqual(expect.stringContaining("to the one that serves"));
  });

  it("goes round byokit, and on when its key is removed", async () => {
    const failed = await failuresOf(({ baseUrl }) => ({
      request: () => globalThis.fetch(baseUrl.replace("https://api.assemblyai.com", "http://127.0.0.1:9")),
    }));
    expect(failed).toContainEqual(expect.stringContaining("sends the key that serves"));
    expect(failed).toContainEqual(expect.stringContaining("to the one that serves"));
  });

  it("holds a key, or shows it in an error", async () => {
    const failed = await failuresOf((egress) => {
      const client = { kept: "", request: async () => await egress.fetch(`${egress.baseUrl}/v2`) };
      subscribe("undici:client:sendHeaders", (message) => {
        client.kept = String((message as { headers: string }).headers);
      });
      return client;
    });
    expect(failed).toContainEqual(expect.stringContaining("shows its key nowhere"));
  });
});
