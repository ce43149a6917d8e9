import { join } from "node:path";
import { createKeyManager, createKeyring, createResolver, generateKeyring, memoryStore } from "byokit";
import { freePort } from "../../test/servers/free-port.ts";
import { type ProcessOnPort, processOnPort } from "./process-on-port.ts";

export const apiKey = "key-of-org";

/** OpenAI's stand-in, and a worker's client that goes straight to it. */
export async function workerWithClient() {
  const double: ProcessOnPort = await startOpenAi();
  const baseURL = `${double.url}/v1`;
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  await createKeyManager({ store, keyring, verify: "off" }).set("org", { provider: "openai", apiKey });
  const resolver = createResolver({ store, keyring, endpoints: { openai: baseURL } });
  await resolver.ready();
  const { llm } = await resolver.resolve("org", { llm_config: { provider: "openai" } });
  const stop = async (): Promise<void> => {
    await resolver.close();
    double.stop();
  };
  return { client: llm.client, baseURL, port: Number(new URL(double.url).port), stop };
}

export async function startOpenAi(): Promise<ProcessOnPort> {
  const port = await freePort();
  return await processOnPort(port, join(import.meta.dirname, "openai-double.ts"), String(port));
}

interface Completing {
  readonly chat: {
    readonly completions: { create(asked: CompletionAsked): PromiseLike<{ readonly choices: readonly unknown[] }> };
  };
}

interface CompletionAsked {
  readonly model: string;
  readonly messages: { readonly role: "user"; readonly content: string }[];
}

/** Fails where there is no answer, so that a refusal is not timed as one. */
export async function complete(client: Completing): Promise<unknown> {
  const { choices } = await client.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "Hello?" }],
  });
  if (choices.length !== 1) throw new Error("There was no answer.");
  return choices[0];
}
