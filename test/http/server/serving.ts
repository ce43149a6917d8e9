import { connect, type Socket } from "node:net";
import { Writable } from "node:stream";
import { pino } from "pino";
import { type ServeOptions, serve } from "../../../src/http/index.ts";
import { createKeyManager, createKeyring, generateKeyring, memoryStore } from "../../../src/index.ts";
import { unsteadyStore } from "../../support/unsteady-store.ts";

/** Whose requests a server of {@link serving} answers. */
export const token = "token-of-the-tests";
export const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

/** A server on a store that a test can hold back, with its log. */
export const serving = async (options: Partial<ServeOptions> = {}) => {
  const store = unsteadyStore(memoryStore());
  await store.migrate();
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const manager = createKeyManager({ store, keyring: createKeyring(generateKeyring()), verify: "off" });
  const authenticate = async ({ headers }: Request) =>
    headers.get("authorization") === `Bearer ${token}` ? { orgId: "org", canWrite: true } : null;
  const ready = () => store.poll({ windowMs: 0 });
  const server = await serve({ manager, authenticate, ready, port: 0, logger: pino(sink), ...options });
  const log = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { store, manager, server, lines, log, url: server.url, [Symbol.asyncDispose]: () => server.close() };
};

/** A connection that a test writes to as it likes, and what came back on it. */
export interface RawConnection {
  readonly socket: Socket;
  readonly received: () => string;
  /** Everything that came back, once the server has closed it. */
  readonly ended: Promise<string>;
}

export function openRaw(url: string, text = ""): RawConnection {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname.replace(/^\[|\]$/gu, ""));
  let answer = "";
  socket.on("data", (chunk) => {
    answer += String(chunk);
  });
  socket.on("error", () => {});
  const ended = new Promise<string>((resolve) => socket.on("close", () => resolve(answer)));
  if (text !== "") socket.write(text);
  return { socket, received: () => answer, ended };
}

/** Sends bytes as they are, and gives what comes back until the server closes. */
export const sendRaw = (url: string, text: string): Promise<string> => openRaw(url, text).ended;
