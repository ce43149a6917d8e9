/** Sends what may become of a request, each with a minute to do so, and prints how it went. Nothing then keeps it alive. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { byokErrorOf } from "../../../src/byok-error-of.ts";
import { ByokError } from "../../../src/errors.ts";
import { openai } from "../../../src/providers/openai.ts";
import { resend } from "../../../src/providers/resend.ts";
import type { DeepgramClient, ElevenLabsClient } from "../../../src/providers/sdk-types.ts";
import { changingSupply } from "../../support/changing-supply.ts";
import { egressOf, serving } from "../../support/egress.ts";
import { sdkVersions } from "../../support/sdks.ts";

/** One whose answer is JSON, and one whose answer is a stream. */
const calls = new Map<string, (client: never) => PromiseLike<unknown>>([
  ["deepgram", (client: DeepgramClient) => client.manage.v1.projects.list()],
  ["elevenlabs", (client: ElevenLabsClient) => client.textToSpeech.convert("voice", { text: "Hello." })],
]);

const server = createServer(({ url }, response) => {
  response.writeHead(url === "/refused" ? 401 : 200, { "content-type": "application/json" }).end("{}");
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const supply = changingSupply(serving("customer-key-0123456789", origin));
const egress = egressOf(openai, supply, 60_000);
const results: unknown[] = [];
for (const path of ["/", "/refused"]) {
  const answer = await egress.fetch(`${origin}${path}`, { signal: new AbortController().signal });
  results.push(answer.status);
  await answer.text();
}
const codeOf = (error: unknown): unknown => byokErrorOf(error)?.code;
supply.now = new ByokError("key_revoked", "It is gone.");
results.push(await egress.fetch(origin).catch(codeOf));
await new Promise((resolve) => {
  server.close(resolve);
  server.closeAllConnections();
});
supply.now = serving("customer-key-0123456789", origin);
const client = openai.connect(egress, await openai.load?.());
results.push(await client.models.list({ maxRetries: 0 }).catch(codeOf));
const mail = resend.connect(egressOf(resend, supply, 60_000), await resend.load?.());
results.push(codeOf((await mail.domains.list()).error));
for (const { provider, load } of sdkVersions.filter(({ provider }) => calls.has(provider.id))) {
  const its = provider.connect(
    egressOf(provider, changingSupply(serving("customer-key-0123456789", origin)), 60_000),
    await load(),
  );
  results.push(await Promise.resolve(calls.get(provider.id)?.(its as never)).catch(codeOf));
}
process.stdout.write(results.join(" "));
