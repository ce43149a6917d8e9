import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { ownRedisServer } from "../../test/servers/redis-server.ts";
import { cpuBetween, readCpuTimes } from "./process-cpu.ts";

const channel = "byok:changes";
const runMs = 5_000;

export interface FanOutFigures {
  readonly subscribers: number;
  /** Notices a second that all of these subscribers took. */
  readonly noticesPerSecond: number;
  readonly messagesPerSecond: number;
  /** Microseconds of Redis' processor time for a message. */
  readonly redisCpuUs: number;
}

/** As many notices as one Redis delivers to so many connections, each of which is read and thrown away. */
export async function redisFanOut(subscribers: number): Promise<FanOutFigures> {
  const server = await ownRedisServer();
  const sockets = await Promise.all(Array.from({ length: subscribers }, () => subscribe(server.port)));
  const redis = new Redis(server.port, "127.0.0.1");
  const notice = JSON.stringify({ org: "org-1234", seq: 1_234_567 });
  const bytesOfOne = `*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$${notice.length}\r\n${notice}\r\n`
    .length;
  let bytes = 0;
  for (const socket of sockets) socket.on("data", (chunk) => (bytes += chunk.length));
  const pid = server.process.pid ?? 0;
  const cpuBefore = readCpuTimes([pid]);
  const beganAtMs = performance.now();
  while (performance.now() - beganAtMs < runMs) {
    await Promise.all([1, 2, 3, 4].map(() => redis.publish(channel, notice)));
    // What is published waits for what was delivered, as it would in a fleet that keeps up.
    await pause(0);
  }
  const tookS = (performance.now() - beganAtMs) / 1_000;
  const messages = bytes / bytesOfOne;
  const redisCpuUs = (cpuBetween(cpuBefore, readCpuTimes([pid])) * 1_000_000) / messages;
  redis.disconnect();
  for (const socket of sockets) socket.destroy();
  await server.stop();
  const messagesPerSecond = messages / tookS;
  return { subscribers, noticesPerSecond: messagesPerSecond / subscribers, messagesPerSecond, redisCpuUs };
}

async function subscribe(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`SUBSCRIBE ${channel}\r\n`);
  await once(socket, "data");
  return socket;
}
