import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "byokit";
import { OpenAI } from "openai";
import { type Compared, compare, median } from "./compare.ts";

const rounds = 9;
const requestsPerRound = 10_000;

/** What a request pays for leaving through a slot. */
export interface RequestCost {
  /** Microseconds of processor time beyond those of the stub that stands in for the runtime's `fetch`. */
  readonly cpuUs: number;
  /** Over loopback and to the answer's last byte, beside the runtime's `fetch`. */
  readonly endToEnd: Compared;
  /** The same by OpenAI's SDK, beside the SDK alone. */
  readonly bySdk: Compared;
  /** OpenAI's SDK alone beside itself: what two runs of the same differ by. */
  readonly noise: Compared;
}

export async function requestCost(): Promise<RequestCost> {
  const server = createServer((request, response) => {
    request.resume().once("end", () => response.setHeader("content-type", "application/json").end('{"data":[]}'));
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
  const { llm } = await resolver.resolve("org", { llm_config: { provider: "openai" } });
  const bare = globalThis.fetch;
  const cpuUs = await cpuBeyondStub(llm.fetch, url);
  const ask = async (send: typeof fetch): Promise<unknown> => await (await send(`${url}/models`, requestInit())).json();
  const theirs = async (): Promise<unknown> => await ask(bare);
  const what = "a request through a slot";
  const endToEnd = await compare({ what, bare: "fetch", ours: async () => await ask(llm.fetch), theirs });
  const alone = new OpenAI({ apiKey: "key-of-org", baseURL: url, logLevel: "off" });
  const listAlone = async (): Promise<unknown> => await alone.models.list();
  const listOurs = async (): Promise<unknown> => await llm.client.models.list();
  const sdk = { what: "a request by OpenAI's SDK", bare: "the SDK alone", theirs: listAlone };
  const bySdk = await compare({ ...sdk, ours: listOurs });
  const noise = await compare({ ...sdk, ours: listAlone });
  await resolver.close();
  server.closeAllConnections();
  server.close();
  return { cpuUs, endToEnd, bySdk, noise };
}

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
