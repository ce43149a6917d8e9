/** byokit beside what one would write by hand: SELECT, decrypt, `new OpenAI()`, for a call or for each of its requests. */
import { OpenAI } from "openai";
import pg from "pg";
import { ownPostgresServer } from "../../../test/servers/postgres-server.ts";
import { recordFigures } from "../../record.ts";
import { versionsOf } from "../versions-of.ts";
import { waysInTurns } from "../way.ts";
import { orgIds, takingTurns } from "../worker-in-memory.ts";
import { apiKey, complete, startOpenAi } from "../worker-with-client.ts";
import { workersOnPostgres } from "../workers-on-postgres.ts";
import { HandWrittenKeys } from "./hand-written-keys.ts";

const server = await ownPostgresServer();
const double = await startOpenAi();
const baseURL = `${double.url}/v1`;
const pool = new pg.Pool({ connectionString: server.url, max: 40 });
const byHand = new HandWrittenKeys(pool);
await byHand.migrate();
for (const orgId of orgIds) await byHand.set(orgId, `${apiKey}-${orgId}`);
const workers = await workersOnPostgres(pool, baseURL);

const openByHand = async (orgId: string): Promise<OpenAI> =>
  new OpenAI({ apiKey: await byHand.get(orgId), baseURL, organization: null, project: null, logLevel: "off" });
const [first, second, third, fourth] = [takingTurns(), takingTurns(), takingTurns(), takingTurns()];
const begun = await waysInTurns([
  { way: "by hand", work: () => openByHand(first()) },
  { way: "byokit, cold", work: () => workers.coldClient(second()) },
  { way: "byokit, from memory", work: () => workers.warmClient(third()) },
]);
const [held, client] = [await openByHand("org-0"), await workers.warmClient("org-0")];
const asked = await waysInTurns([
  { way: "by hand, on the call's client", work: () => complete(held) },
  { way: "by hand, anew for each request", work: async () => await complete(await openByHand(fourth())) },
  { way: "byokit, on the call's client", work: () => complete(client) },
]);
const rows = [
  ...begun.map((row) => ({ what: "beginning a call: its client", ...row })),
  ...asked.map((row) => ({ what: "a completion within a call", ...row })),
];
await recordFigures("comparison-hand-written", rows, versionsOf(import.meta.dirname));
await workers.stop();
await pool.end();
double.stop();
await server.stop();
