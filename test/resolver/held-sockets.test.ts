import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SlotWebSocket } from "../../src/providers/egress/slot-websocket.ts";
import { HeldSockets } from "../../src/resolver/held-sockets.ts";
import { serving } from "../support/egress.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { acceptSocket, type RawServer, rawServer } from "../support/raw-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Platform, platform, type Worker } from "../support/worker.ts";

const agent = { llm_config: { provider: "ada" } } as const;
const pollMs = 3_000;
let server: RawServer;
let vault: Platform;

beforeEach(async () => {
  server = await rawServer();
  server.answer = (socket, head) => acceptSocket(socket, head);
  vault = await platform();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const work = (socketGraceMs = 0): Worker => vault.worker({ socketGraceMs, endpoints: { ada: server.origin } });

/** A socket of a call's, and what it tells. */
const open = async ({ resolver }: Worker): Promise<{ socket: SlotWebSocket; told: unknown[]; signal: AbortSignal }> => {
  const { llm } = await resolver.resolve("org", agent);
  const socket = new llm.WebSocket("wss://ada.example/v1");
  const told: unknown[] = [];
  socket.on("error", (error) => told.push(error.code));
  socket.on("close", (code) => told.push(code));
  await new Promise<void>((resolve) => socket.on("open", () => resolve()));
  return { socket, told, signal: llm.signal };
};

describe("a socket that a call has opened", () => {
  it("is closed when its key is removed, and says why", async () => {
    await vault.manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await using here = work();
    const { told } = await open(here);
    await vault.manager.remove("org", { provider: "ada" });
    await here.clock.advance(pollMs);
    await waitFor(() => expect(told).toEqual(["key_revoked", 1006]));
  });

  it("has its grace first", async () => {
    await vault.manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await using here = work(60_000);
    const { socket, told, signal } = await open(here);
    await vault.manager.remove("org", { provider: "ada" });
    await here.clock.advance(pollMs);
    await waitFor(() => expect(signal.aborted).toBe(true));
    expect([socket.readyState, told]).toEqual([1, []]);
    await here.clock.advance(60_000);
    await waitFor(() => expect(told).toEqual(["key_revoked", 1006]));
  });

  it("goes on when its key is replaced, and the signal tells of it", async () => {
    await vault.manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await using here = work();
    const { socket, told, signal } = await open(here);
    await vault.manager.set("org", { provider: "ada", apiKey: "own-ada-two" });
    await here.clock.advance(pollMs);
    await waitFor(() => expect(signal.reason).toMatchObject({ code: "key_replaced" }));
    expect([socket.readyState, told]).toEqual([1, []]);
    socket.terminate();
  });

  it("goes on when it is on the platform's key, whatever the organisation removes", async () => {
    await using here = work();
    const { socket, told } = await open(here);
    await vault.manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.clock.advance(pollMs);
    await vault.manager.remove("org", { provider: "ada" });
    await here.clock.advance(pollMs);
    expect([socket.readyState, told]).toEqual([1, []]);
    socket.terminate();
  });
});

describe("what watches open sockets", () => {
  it("ends with the last of them, and so does every grace", () => {
    const clock = new ManualClock();
    let watching = 0;
    const hold = (): (() => void) => {
      watching += 1;
      return () => {
        watching -= 1;
      };
    };
    const sockets = new HeldSockets(clock, 1_000, { hold });
    const closed: string[] = [];
    const one = sockets.hold(serving("key", "http://127.0.0.1:9"), () => closed.push("one"));
    const two = sockets.hold(serving("key", "http://127.0.0.1:9"), () => closed.push("two"));
    expect(watching).toBe(1);
    sockets.closeRevoked(new Error("removed"));
    sockets.closeRevoked(new Error("removed"));
    expect(clock.pendingTimers).toBe(2);
    one();
    expect([watching, clock.pendingTimers]).toEqual([1, 1]);
    two();
    expect([watching, clock.pendingTimers, closed]).toEqual([0, 0, []]);
    two();
    sockets.hold(serving("key", "http://127.0.0.1:9"), () => {});
    expect(watching).toBe(1);
  });
});
