/** A worker's first call in a process of its own; prints what it saw as JSON. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKeyManager, createKeyring, createResolver, generateKeyring, isByokError } from "byokit";
import { sqliteStore } from "byokit/sqlite";

const isReady = process.argv[2] === "ready";
const folder = mkdtempSync(join(tmpdir(), "byokit-bench-"));
const store = sqliteStore({ path: join(folder, "byok.sqlite") });
await store.migrate();
const keyring = createKeyring(generateKeyring());
await createKeyManager({ store, keyring, verify: "off" }).set("org", { provider: "openai", apiKey: "key-of-org" });
// As a worker finds a file: one that was written to a moment ago is opened anew.
await new Promise((resolve) => setTimeout(resolve, 150));
const resolver = createResolver({ store, keyring, platformKeys: { deepgram: "platform", elevenlabs: "platform" } });

const startedAt = performance.now();
if (isReady) await resolver.ready();
const readyMs = performance.now() - startedAt;

let blockedMs = 0;
let tickedAt = performance.now();
const ticking = setInterval(() => {
  blockedMs = Math.max(blockedMs, performance.now() - tickedAt);
  tickedAt = performance.now();
}, 1);
await new Promise((resolve) => setTimeout(resolve, 50));
blockedMs = 0;
const calledAt = performance.now();
const outcome = await resolver
  .resolve("org", {
    llm_config: { provider: "openai" },
    stt_config: { provider: "deepgram" },
    tts_config: { provider: "elevenlabs" },
  })
  .then(
    ({ llm, stt, tts }) => `${[llm.client, stt.client, tts.client].length} clients`,
    (error: unknown) => (isByokError(error) ? error.code : String(error)),
  );
const resolveMs = performance.now() - calledAt;
await new Promise((resolve) => setTimeout(resolve, 20));
clearInterval(ticking);

console.log(JSON.stringify({ isReady, readyMs, resolveMs, blockedMs, outcome }));
await resolver.close();
await store.close();
rmSync(folder, { recursive: true });
