import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { RedisClient } from "../../src/shared-cache/redis-client.ts";
import { RedisConnection } from "../../src/shared-cache/redis-connection.ts";

/** What a client of ioredis tells of its connection, in an order that no server can be made to keep. */
class Client extends EventEmitter {
  readonly options = {};
  status = "ready";
}

let client: Client;
let told: boolean[];
const watch = () => RedisConnection.of(client as unknown as RedisClient).watch((isReached) => told.push(isReached));

beforeEach(() => {
  vi.useFakeTimers();
  client = new Client();
  told = [];
});
afterEach(() => vi.useRealTimers());

it("a connection that is back within a second is not told of as lost", () => {
  watch();
  for (let times = 0; times < 3; times += 1) {
    client.emit("close");
    vi.advanceTimersByTime(999);
    client.emit("ready");
    vi.advanceTimersByTime(999);
  }
  expect(told).not.toContain(false);
});

it("a connection that fails again and again is lost a second after it was closed first, and told of once", () => {
  watch();
  for (let times = 0; times < 100; times += 1) {
    client.emit("close");
    vi.advanceTimersByTime(100);
  }
  expect(told).toEqual([false]);
  client.emit("ready");
  expect(told).toEqual([false, true]);
});

it("a client that is making its connection as it is first used is lost in a second, too", () => {
  client.status = "reconnecting";
  watch();
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([false]);
});

it("many caches on one client take one listener of each kind, and leave none, nor a timer", () => {
  const watches = Array.from({ length: 20 }, watch);
  expect(client.eventNames().map((name) => client.listenerCount(name))).toEqual([1, 1]);
  client.emit("close");
  for (const each of watches) each.close();
  expect([client.eventNames(), vi.getTimerCount()]).toEqual([[], 0]);
});
