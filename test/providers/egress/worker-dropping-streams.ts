/** Opens answers without end, reads the beginning of most and drops them all. Prints what its server still holds then, as JSON. */
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { openai } from "../../../src/providers/openai.ts";
import { egressOf, serving } from "../../support/egress.ts";

const streams = 8;
const open = { ours: new Set<Socket>(), bare: new Set<Socket>() };
/** Counted as they open: a runtime may close some while others are still being opened. */
let opened = 0;
const server = createServer(({ url, socket }, response) => {
  const held = url === "/ours" ? open.ours : open.bare;
  held.add(socket);
  opened += 1;
  socket.once("close", () => held.delete(socket));
  response.writeHead(200, { "content-type": "text/event-stream" }).write("data: {}\n\n");
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const { fetch: send } = egressOf(openai, serving("customer-key-0123456789", origin));

async function openAndDrop(fetch_: typeof fetch, path: string): Promise<void> {
  const reader = (await fetch_(`${origin}${path}`)).body?.getReader();
  await reader?.read();
  reader?.releaseLock();
}
for (let turn = 0; turn < streams; turn += 1)
  await Promise.all([openAndDrop(send, "/ours"), openAndDrop(fetch, "/bare"), send(`${origin}/ours`)]);
for (let turn = 0; turn < 500 && open.ours.size > 0; turn += 1) {
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 10));
}
process.stdout.write(JSON.stringify({ opened, ours: open.ours.size, bare: open.bare.size }), () => process.exit());
