/** A worker whose process traces every request with OpenTelemetry's defaults. Prints its spans, as they would be exported. */
import { register } from "node:module";
import { inspect } from "node:util";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

register("@opentelemetry/instrumentation/hook.mjs", import.meta.url);
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
registerInstrumentations({ instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()] });

const [origin = "", key = ""] = process.argv.slice(2);
// Whatever was imported before the instrumentations is not traced.
const { get } = await import("node:https");
const { egressOf, serving } = await import("../../support/egress.ts");
const { openai } = await import("../../../src/providers/openai.ts");
const egress = egressOf(openai, serving(key, origin));
const client = openai.connect(egress, await openai.load?.());
const settled = async (work: PromiseLike<unknown>): Promise<unknown> =>
  await Promise.resolve(work).catch((error: unknown) => error);
const outcomes: unknown[] = [
  await settled(client.models.list({ maxRetries: 0 })),
  await settled(egress.fetch("https://api.openai.com/v1/echoed")),
  await settled(egress.fetch("https://api.openai.com/v1/broken")),
  await new Promise((resolve) => {
    get("https://api.openai.com/v1/models", { agent: egress.agent }, (answer) =>
      answer.resume().once("end", resolve),
    ).once("error", resolve);
  }),
];
for (const path of ["live", "echoed", "broken"]) {
  const socket = new egress.WebSocket(`wss://api.openai.com/v1/${path}`);
  outcomes.push(
    await new Promise((resolve) => {
      socket.on("open", resolve);
      socket.on("error", resolve);
    }),
  );
  socket.terminate();
}
const spans = exporter.getFinishedSpans();
process.stdout.write(
  JSON.stringify({
    names: spans.map(({ name, kind }) => `${kind} ${name}`),
    shown: inspect(spans, { depth: 12, showHidden: true }),
  }),
);
process.exit();
