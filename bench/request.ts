import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "byokit";
import { OpenAI } from "openai";
import { type Comparison, compare, comparedRow, rounded } from "./compare.ts";
import type { Row } from "./figures.ts";
import { median } from "./take-turns.ts";

const rounds = 9;
const requestsPerRound = 10_000;

const atATime = 32;
const answer = JSON.stringify({ id: "1", object: "chat.completion", created: 1, model: "m", choices: [] });

/** What a request pays for leaving through a slot, over loopback and to its answer's last byte. */
export async function requestCosts(): Promise<Row[]> {
  const server = createServer((request, response) => {
    request.resume().once("end", () => response.setHeader("content-type", "application/json").end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, verify: "off" });
  await manager.set("org", { provider: "openai", apiKey: "key-of-org" });
  const resolver = createResolver({ store, keyring, endpoints: { openai: url } });
  await resolver.ready();
  const agent = { llm_config: { provider: "openai" } } as const;
  const { llm } = await resolver.resolve("org", agent);
  const bare = globalThis.fetch;
  const cpuUs = await cpuBeyondStub(llm.fetch, url);
  const ask = async (send: typeof fetch): Promise<unknown> => await (await send(`${url}/models`, requestInit())).json();
  const alone = new OpenAI({ apiKey: "key-of-org", baseURL: url, logLevel: "off" });
  const held = (): Promise<unknown> => complete(llm.client);
  const fresh = async (): Promise<unknown> => await complete((await resolver.resolve("org", agent)).llm.client);
  const sdk = { bare: "the SDK alone", theirs: () => complete(alone) };
  const sdks = { bare: "the SDK alone", theirs: manyOf(sdk.theirs), each: atATime };
  const comparisons: readonly Comparison[] = [
    { what: "a request by `slot.fetch`", bare: "`fetch`", ours: () => ask(llm.fetch), theirs: () => ask(bare) },
    { ...sdk, what: "a completion", ours: held, goal: { addedUs: 10 } },
    { ...sdks, what: `a completion, ${atATime} at a time`, ours: manyOf(held), goal: { addedUs: 10 } },
    { ...sdk, what: "a completion by a fresh client", ours: fresh, goal: { addedUs: 60 } },
    { ...sdks, what: `the same, ${atATime} at a time`, ours: manyOf(fresh), goal: { addedUs: 60 } },
    { ...sdk, what: "the SDK alone, beside itself", ours: () => complete(alone) },
  ];
  const rows: Row[] = [];
  for (const one of comparisons) rows.push(await costs(one));
  await resolver.close();
  server.closeAllConnections();
  server.close();
  return [{ what: "processor time of a request, beyond a stub of `fetch`", "byokit µs": rounded(cpuUs) }, ...rows];
}

/** By the clock, and by what this process takes of its processors, the server's part in both alike. */
async function costs(comparison: Comparison): Promise<Row> {
  const compared = await compare(comparison);
  const { addedUs } = await compare(comparison, { now: () => processorUs() / 1_000 });
  const { goal = "", ...row } = comparedRow(compared);
  return { ...row, "added µs": rounded(compared.addedUs), "added processor µs": rounded(addedUs), goal };
}

/** What this process has had of its processors. */
function processorUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function complete(client: OpenAI): Promise<unknown> {
  return await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "Hello?" }] });
}

const manyOf =
  (work: () => Promise<unknown>): (() => Promise<unknown>) =>
  () =>
    Promise.all(Array.from({ length: atATime }, work));

/** As OpenAI's SDK asks for a completion. */
function requestInit(): RequestInit {
  const names = ["lang", "os", "arch", "runtime", "package-version", "retry-count", "timeout"];
  const headers = new Headers(names.map((name) => [`x-stainless-${name}`, "value"] as [string, string]));
  for (const name of ["accept", "content-type", "user-agent", "authorization"]) headers.set(name, "application/json");
  return { method: "POST", headers, body: '{"model":"gpt-4o-mini"}', signal: new AbortController().signal };
}

async function cpuBeyondStub(send: typeof fetch, url: string): Promise<number> {
  const runtimes = globalThis.fetch;
  const answer = new Response(null, { status: 204 });
  const stub: typeof fetch = async () => answer;
  globalThis.fetch = stub;
  const init = requestInit();
  const cpuOf = async (one: typeof fetch): Promise<number> => {
    const before = process.cpuUsage();
    for (let turn = 0; turn < requestsPerRound; turn += 1) await one(`${url}/models`, init);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requestsPerRound;
  };
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) samples.push((await cpuOf(send)) - (await cpuOf(stub)));
  globalThis.fetch = runtimes;
  return median(samples);
}
