import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { builtinProviders, createKeyManager, createKeyring, generateKeyring } from "byokit";
import { bearerTokens, serve } from "byokit/http";
import { sqliteStore } from "byokit/sqlite";
import { startProviderDoubles } from "byokit/testing";

/** `npm start`: the management API on this machine, to try it. What it needs it makes in `.byokit`. */
const folder = ".byokit";
const isLive = process.argv.includes("--live");

mkdirSync(folder, { recursive: true, mode: 0o700 });
const keyringPath = `${folder}/keyring.json`;
if (!existsSync(keyringPath)) writeFileSync(keyringPath, JSON.stringify(generateKeyring()), { mode: 0o600 });
const databasePath = `${folder}/byok.sqlite`;
const store = sqliteStore({ path: databasePath });
await store.migrate();

const keys = Object.fromEntries(builtinProviders.map(({ id }) => [id, [`try-${id}-key-0123456789`]]));
const doubles = isLive ? undefined : await startProviderDoubles({ keys });
const endpoints = doubles?.endpoints ?? {};
const keyring = createKeyring(readFileSync(keyringPath, "utf8"));
const manager = createKeyManager({ store, keyring, endpoints });

const token = randomBytes(32).toString("base64url");
const sha256 = createHash("sha256").update(token).digest("hex");
const authenticate = bearerTokens([{ sha256, orgId: "acme", actor: "you", canWrite: true }]);
const port = Number(process.env["PORT"] ?? 8_787);
const server = await serve({ manager, authenticate, port, ready: () => store.poll({ windowMs: 0 }) });

const settings = {
  BYOK_URL: server.url,
  BYOK_TOKEN: token,
  BYOK_DATABASE_URL: databasePath,
  BYOK_KEYRING: keyringPath,
  BYOK_ENDPOINTS: JSON.stringify(endpoints),
};
const lines = Object.entries(settings).map(([name, value]) => `export ${name}='${value}'\n`);
writeFileSync(`${folder}/env`, lines.join(""), { mode: 0o600 });
console.error(`The API of the organisation "acme" is at ${server.url}. In another terminal: . ./${folder}/env`);
if (!isLive) console.error("Providers are doubles, which take keys like try-openai-key-0123456789. Real ones: --live");

await new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
await server.close();
await doubles?.close();
await store.close();
