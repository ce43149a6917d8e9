/** `node proxy.ts <port> <target port>`: passes everything on, over connections that it keeps. */
import { Agent, createServer } from "node:http";
import { createProxyServer } from "httpxy";

const [port, target] = process.argv.slice(2).map(Number);
const proxy = createProxyServer({ target: `http://127.0.0.1:${target}`, agent: new Agent({ keepAlive: true }) });

createServer((request, response) => {
  proxy.web(request, response).catch(() => response.destroy());
}).listen(port, "127.0.0.1");
