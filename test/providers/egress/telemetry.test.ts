import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { acceptSocket, rawServer } from "../../support/raw-server.ts";

const key = "customer-key-0123456789";

it("no span of OpenTelemetry's HTTP and undici instrumentations shows a key, whatever comes back", async () => {
  await using server = await rawServer();
  server.answer = (socket, head) => {
    if (head.includes("/broken")) return void socket.end(`${key} is no HTTP\r\n\r\n`);
    if (head.includes("/echoed")) {
      return void socket.end(`HTTP/1.1 401 ${key}\r\nx-echo: ${key}\r\ncontent-length: ${key.length}\r\n\r\n${key}`);
    }
    if (/^upgrade:/imu.test(head)) return acceptSocket(socket, head);
    socket.end("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
  };
  const program = join(import.meta.dirname, "worker-with-telemetry.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [program, server.origin, key]);
  const { names, shown } = JSON.parse(stdout) as { names: string[]; shown: string };
  expect(server.received.filter((bytes) => bytes.includes(key))).toHaveLength(7);
  expect(names).toHaveLength(7);
  expect(shown).not.toContain(key);
});
