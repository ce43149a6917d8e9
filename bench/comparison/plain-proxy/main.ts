/** A completion by byokit's client, beside one through a reverse proxy that does nothing else: what a hop costs. */
import { join } from "node:path";
import { OpenAI } from "openai";
import { freePort } from "../../../test/servers/free-port.ts";
import { recordFigures } from "../../record.ts";
import { processOnPort } from "../process-on-port.ts";
import { versionsOf } from "../versions-of.ts";
import { waysInTurns } from "../way.ts";
import { apiKey, complete, workerWithClient } from "../worker-with-client.ts";

const { client, baseURL, port: target, stop } = await workerWithClient();
const port = await freePort();
const proxy = await processOnPort(port, join(import.meta.dirname, "proxy.ts"), String(port), String(target));
const alone = new OpenAI({ apiKey, baseURL, logLevel: "off" });
const through = new OpenAI({ apiKey, baseURL: `${proxy.url}/v1`, logLevel: "off" });
const rows = await waysInTurns([
  { way: "OpenAI's SDK alone", work: () => complete(alone) },
  { way: "byokit's client", work: () => complete(client) },
  { way: "the SDK, through a plain proxy", work: () => complete(through) },
]);
await recordFigures("comparison-plain-proxy", rows, versionsOf(import.meta.dirname));
proxy.stop();
await stop();
