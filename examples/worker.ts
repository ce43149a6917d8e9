import { readFileSync } from "node:fs";
import { type AgentConfig, createKeyring, createResolver, isByokError, platformKeysFromEnv } from "byokit";
import { sqliteStore } from "byokit/sqlite";

const resolver = createResolver({
  store: sqliteStore({ path: process.env["BYOK_DATABASE_URL"] ?? "./byok.sqlite" }),
  keyring: createKeyring(readFileSync(process.env["BYOK_KEYRING"] ?? "./keyring.json", "utf8")),
  platformKeys: platformKeysFromEnv(),
  endpoints: JSON.parse(process.env["BYOK_ENDPOINTS"] ?? "{}"),
  onEvent: (event) => event.type === "snapshot_used" || console.warn("byokit", event),
});
await resolver.ready();

/** One job: `change` is the number of the change that it must see, if it came with one. */
export async function answer(orgId: string, agent: AgentConfig, question: string, change = 0): Promise<string> {
  try {
    const { llm } = await resolver.resolve(orgId, agent, { atLeast: change });
    if (llm === undefined) return "";
    console.info(`${llm.slot} runs on the ${llm.source} key of ${llm.provider} (${llm.reason})`);
    const completion = await llm.client.chat.completions.create({
      model: llm.model,
      messages: [{ role: "user", content: question }],
    });
    return completion.choices[0]?.message.content ?? "";
  } catch (error) {
    if (isByokError(error)) console.error(`call of ${error.orgId} failed: ${error.code}`, error.failures);
    throw error;
  }
}
