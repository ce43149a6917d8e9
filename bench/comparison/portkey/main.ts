/** A completion by byokit's client, beside one through Portkey's open-source gateway on the same machine. */
import { join } from "node:path";
import { OpenAI } from "openai";
import { freePort } from "../../../test/servers/free-port.ts";
import { recordFigures } from "../../record.ts";
import { processOnPort } from "../process-on-port.ts";
import { versionsOf } from "../versions-of.ts";
import { waysInTurns } from "../way.ts";
import { apiKey, complete, workerWithClient } from "../worker-with-client.ts";

const { client, baseURL, stop } = await workerWithClient();
const port = await freePort();
const gateway = await processOnPort(
  port,
  // It would listen on every interface.
  "--import",
  join(import.meta.dirname, "on-loopback.ts"),
  join(import.meta.dirname, "node_modules/@portkey-ai/gateway/build/start-server.js"),
  `--port=${port}`,
  "--headless",
);
const alone = new OpenAI({ apiKey, baseURL, logLevel: "off" });
const through = new OpenAI({
  apiKey,
  baseURL: `${gateway.url}/v1`,
  defaultHeaders: { "x-portkey-provider": "openai", "x-portkey-custom-host": baseURL },
  logLevel: "off",
});
const rows = await waysInTurns([
  { way: "OpenAI's SDK alone", work: () => complete(alone) },
  { way: "byokit's client", work: () => complete(client) },
  { way: "the SDK, through Portkey's gateway", work: () => complete(through) },
]);
await recordFigures("comparison-portkey", rows, versionsOf(import.meta.dirname));
gateway.stop();
await stop();
