import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import {
  type ProviderDoubles,
  startProviderDoubles,
} from "../../src/testing/provider-doubles/start-provider-doubles.ts";
import { forwarder } from "../servers/forwarder.ts";
import { ownPostgresStore } from "../support/stores.ts";
import type { SoakOptions, SoakReport } from "./soak-worker.ts";
import { ways } from "./ways.ts";

const [monday, tuesday, refused, platform] = ["monday", "tuesday", "nobody", "the-platform"].map(
  (whose) => `key-of-${whose}-0123456789`,
) as [string, string, string, string];
const providers = [...new Set(ways.map(({ provider }) => provider))];
/** Ways that a process which lives for a second has the time to load. */
const fewWays = [
  "OpenAI, chat",
  "OpenAI, realtime",
  "Deepgram, speech",
  "Deepgram, live transcription",
  "ElevenLabs, speech from streamed text",
  "Resend, e-mail",
];
const seconds = Number(process.env["BYOKIT_SOAK_SECONDS"] ?? 4);
const limitMs = (seconds + 60) * 1_000;
let doubles: ProviderDoubles;

beforeEach(async () => {
  doubles = await startProviderDoubles({
    keys: Object.fromEntries(providers.map((provider) => [provider, [monday, tuesday, platform]])),
  });
});
afterEach(async () => {
  await doubles.close();
});

/** Runs a worker to its own end, and expects that nothing of it is left. `begun` is called once its calls are under way. */
async function soak(given: Partial<SoakOptions>, begun = (): void => {}): Promise<SoakReport> {
  const options: SoakOptions = {
    endpoints: doubles.endpoints,
    calls: 12,
    ways: fewWays,
    clients: ["openai", "deepgram", "resend"],
    forMs: 1_000,
    pauseMs: 50,
    keys: [monday, tuesday],
    refusedKey: refused,
    platformKey: platform,
    requestTimeoutMs: 500,
    ...given,
  };
  const program = join(import.meta.dirname, "soak-worker.ts");
  const child = spawn(process.execPath, ["--expose-gc", program, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let printed = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (printed === "") begun();
    printed += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = `${errors}${text}`.slice(-4_000);
  });
  const [code, signal] = await once(child, "close");
  expect([code, signal], errors).toEqual([0, null]);
  const report = JSON.parse(printed.split("\n").at(-2) ?? "") as SoakReport;
  expect([report.unhandled, report.left]).toEqual([[], []]);
  expect(report.turns).toBeGreaterThanOrEqual(options.calls);
  return report;
}

it(
  "two hundred calls leave no socket and no timer, and their memory is flat",
  async () => {
    const { heap, failed } = await soak({
      calls: 200,
      ways: ways.map(({ name }) => name),
      clients: providers,
      forMs: seconds * 1_000,
      pauseMs: 500,
      requestTimeoutMs: 20_000,
    });
    for (const code of Object.keys(failed))
      expect(code).toMatch(/^(?:key_\w+|closed|store_unavailable|deadline_exceeded)$/u);
    const [middle, end] = heap;
    expect(end).toBeLessThan(middle * 1.2 + 8_000_000);
  },
  limitMs,
);

it.each([
  ["streams and sockets were cut", { cutAfter: 1 }],
  ["requests and handshakes were refused", { refusal: "wrongKey" }],
  ["answers never began", { stall: "headers" }],
  ["answers never ended", { stall: "body" }],
] as const)(
  "a worker ends by itself after %s",
  async (_name, fault) => {
    for (const provider of providers) doubles.fail({ provider, ...fault, after: 4 });
    const { failed } = await soak({});
    expect(failed).not.toEqual({});
  },
  limitMs,
);

it(
  "a worker ends by itself when its resolver is closed while calls are under way",
  async () => {
    const { failed } = await soak({ closesFirst: true });
    expect(Object.keys(failed)).toContain("closed");
  },
  limitMs,
);

it(
  "a worker ends by itself while its database is gone",
  async () => {
    await using database = await ownPostgresStore();
    const { port } = new URL(database.url);
    const network = await forwarder(Number(port));
    const databaseUrl = database.url.replace(`:${port}/`, `:${network.port}/`);
    const { failed } = await soak({ databaseUrl }, () => network.to(null));
    expect(Object.keys(failed)).toContain("store_unavailable");
    await network.close();
  },
  limitMs,
);
