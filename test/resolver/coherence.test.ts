import { describe, expect, it } from "vitest";
import { ByokError } from "../../src/errors.ts";
import type { SlotCredential } from "../../src/index.ts";
import type { Keyring } from "../../src/keyring/keyring.ts";
import { settle } from "../support/manual-clock.ts";
import { waitFor } from "../support/wait-for.ts";
import { agent, platform } from "../support/worker.ts";

const keyOf = async (call: Promise<{ llm: { credential: SlotCredential } }>): Promise<string> =>
  (await call).llm.credential.key.reveal();
const unavailable = expect.objectContaining({ code: "store_unavailable" });

describe("a removed key", () => {
  it("is refused by another worker within the lease, with the database as the only link", async () => {
    const { manager, worker } = await platform();
    await using here = worker();
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("own-ada");
    await manager.remove("org", { provider: "ada" });
    await here.clock.advance(3_000);
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("platform-ada");
  });

  it("is not handed out by a worker that was stopped past its lease", async () => {
    const { manager, worker } = await platform();
    await using here = worker();
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.resolver.resolve("org", agent);
    await manager.remove("org", { provider: "ada" });
    here.clock.pauseProcess(10_000);
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("platform-ada");
  });

  it("is not handed out by a machine that was suspended, or whose wall clock was set back", async () => {
    for (const wall of [10_000, -1]) {
      const { manager, worker } = await platform();
      await using here = worker();
      await manager.set("org", { provider: "ada", apiKey: "own-ada" });
      await here.resolver.resolve("org", agent);
      await manager.remove("org", { provider: "ada" });
      here.clock.moveWall(wall);
      expect(await keyOf(here.resolver.resolve("org", agent))).toBe("platform-ada");
    }
  });

  it("is not handed out once the wall clock was set back while the database is down, not even as within its lease", async () => {
    const { manager, worker } = await platform();
    await using here = worker({ serveStaleMs: 0 });
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.resolver.resolve("org", agent);
    here.link.isDown = true;
    here.clock.moveWall(-1);
    await expect(here.resolver.resolve("org", agent)).rejects.toEqual(unavailable);
    await using patient = worker({ serveStaleMs: 1_000 });
    await patient.resolver.resolve("org", agent);
    patient.link.isDown = true;
    patient.clock.moveWall(-1);
    const { llm } = await patient.resolver.resolve("org", agent);
    expect([llm.credential.key.reveal(), llm.stale]).toEqual(["own-ada", true]);
  });

  it("is not brought back by a read that was under way", async () => {
    const { manager, worker } = await platform();
    await using here = worker({ deadlineMs: 60_000, leaseMs: 120_000, pollMs: 1_000 });
    await here.resolver.resolve("other", agent);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const release = here.link.hold();
    const early = here.resolver.resolve("org", agent);
    await settle();
    const { seq } = await manager.remove("org", { provider: "ada" });
    const late = here.resolver.resolve("org", agent, { atLeast: seq });
    await settle();
    release();
    await here.clock.advance(2_000);
    await early;
    expect(await keyOf(late)).toBe("platform-ada");
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("platform-ada");
  });

  it("is gone at once for a call that carries the change's number", async () => {
    const { manager, worker } = await platform();
    await using here = worker();
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.resolver.resolve("org", agent);
    const { seq } = await manager.remove("org", { provider: "ada" });
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("own-ada");
    expect(await keyOf(here.resolver.resolve("org", agent, { atLeast: seq }))).toBe("platform-ada");
  });

  it("is not handed out by a call that waited for its key to be opened meanwhile", async () => {
    const { keyring, manager, worker } = await platform();
    const opened = Promise.withResolvers<void>();
    let opens = 0;
    const slow: Keyring = {
      seal: keyring.seal,
      async open(sealed, context) {
        opens += 1;
        if (opens === 1) throw new Error("The key service is away.");
        await opened.promise;
        return await keyring.open(sealed, context);
      },
    };
    await using here = worker({ keyring: slow, deadlineMs: 60_000 });
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    const waiting = here.resolver.resolve("org", agent);
    await settle();
    expect(opens).toBe(2);
    await manager.remove("org", { provider: "ada" });
    await here.clock.advance(3_000);
    opened.resolve();
    expect(await keyOf(waiting)).toBe("platform-ada");
  });

  it("that cannot be seen by the deadline is change_not_visible", async () => {
    const { worker } = await platform();
    await using here = worker();
    const call = here.resolver.resolve("org", agent, { atLeast: 99 });
    const failed = expect(call).rejects.toMatchObject({ code: "change_not_visible", retryable: true });
    await here.clock.advance(2_100);
    await failed;
  });
});

describe("a worker that holds nothing", () => {
  it("is ready again once the database is back, without a call", async () => {
    const { worker } = await platform();
    await using here = worker();
    await here.resolver.ready();
    here.link.isDown = true;
    await expect(here.resolver.ready()).rejects.toEqual(unavailable);
    await here.clock.advance(60_000);
    expect(here.resolver.health().isReady).toBe(false);
    here.link.isDown = false;
    await here.clock.advance(3_000);
    expect(here.resolver.health().isReady).toBe(true);
    const { polls } = here.link.sent;
    await here.clock.advance(60_000);
    expect(here.link.sent.polls).toBe(polls);
  });
});

describe("while the database is gone", () => {
  it("keys are handed out until the lease ends and not later, and known absence goes on", async () => {
    const { manager, worker } = await platform();
    await using here = worker();
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.resolver.resolve("org", agent);
    await here.resolver.resolve("none", agent);
    here.link.isDown = true;
    await here.clock.advance(9_000);
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("own-ada");
    await here.clock.advance(1_500);
    const error = await here.resolver.resolve("org", agent).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "store_unavailable", failures: [{ slot: "llm" }] });
    const call = await here.resolver.resolve("none", agent);
    expect(call.llm).toMatchObject({ source: "platform", reason: "absent", stale: true });
    expect(here.events).toContainEqual(expect.objectContaining({ type: "stale", orgId: "none" }));
    expect(here.resolver.health().isReady).toBe(false);
    await here.clock.advance(900_000);
    await expect(here.resolver.resolve("none", agent)).rejects.toEqual(unavailable);
  });

  it("keys are handed out for serveStaleMs where the operator chose it, and no longer", async () => {
    const { manager, worker } = await platform();
    await using here = worker({ serveStaleMs: 60_000 });
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.resolver.resolve("org", agent);
    here.link.isDown = true;
    await here.clock.advance(60_000);
    expect((await here.resolver.resolve("org", agent)).llm).toMatchObject({ source: "byok", stale: true });
    await here.clock.advance(11_000);
    await expect(here.resolver.resolve("org", agent)).rejects.toEqual(unavailable);
  });

  it("an organisation never seen fails, unless the operator chose the platform's key", async () => {
    const { worker } = await platform();
    await using strict = worker();
    await using open = worker({ fallback: { store_unavailable: "platform" } });
    strict.link.isDown = true;
    open.link.isDown = true;
    await expect(strict.resolver.resolve("org", agent)).rejects.toEqual(unavailable);
    expect((await open.resolver.resolve("org", agent)).llm).toMatchObject({ reason: "store_unavailable" });
  });

  it("coming back needs no restart", async () => {
    const { manager, worker } = await platform();
    await using here = worker();
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.resolver.resolve("org", agent);
    here.link.isDown = true;
    await here.clock.advance(20_000);
    here.link.isDown = false;
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("own-ada");
    await here.clock.advance(3_000);
    expect(here.resolver.health()).toMatchObject({ isReady: true, feed: { failures: 0 } });
  });

  it.each(["read", "poll"])("a lease begins when its %s was sent, not when it was answered", async (what) => {
    const { manager, worker } = await platform();
    await using here = worker({ deadlineMs: 20_000, pollMs: 5_000 });
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.resolver.ready();
    if (what === "poll") await here.resolver.resolve("org", agent);
    const release = here.link.hold();
    const call = what === "read" ? here.resolver.resolve("org", agent) : undefined;
    await here.clock.advance(what === "read" ? 6_000 : 11_000);
    release();
    await call;
    await settle();
    here.link.isDown = true;
    await here.clock.advance(what === "read" ? 3_900 : 3_900);
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("own-ada");
    await here.clock.advance(200);
    await expect(here.resolver.resolve("org", agent)).rejects.toEqual(unavailable);
  });

  it("a failure is not remembered", async () => {
    const { worker } = await platform();
    await using here = worker();
    here.link.isDown = true;
    await expect(here.resolver.resolve("org", agent)).rejects.toEqual(unavailable);
    here.link.isDown = false;
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("platform-ada");
  });
});

describe("waiting", () => {
  it("ends by the deadline, whatever the database does", async () => {
    const { worker } = await platform();
    await using here = worker({ deadlineMs: 5_000 });
    here.link.hold();
    const failed = expect(here.resolver.resolve("org", agent, { deadlineMs: 300 })).rejects.toMatchObject({
      code: "deadline_exceeded",
      retryable: true,
      orgId: "org",
    });
    await here.clock.advance(300);
    await failed;
  });

  it("is shared: many calls of one cold organisation cost one read, and one abort rejects no other call", async () => {
    const { worker } = await platform();
    await using here = worker();
    await here.resolver.ready();
    const release = here.link.hold();
    const aborted = new AbortController();
    const given = here.resolver.resolve("org", agent, { signal: aborted.signal });
    const calls = Array.from({ length: 1_000 }, () => here.resolver.resolve("org", agent));
    await settle();
    const refused = expect(given).rejects.toThrow("hung up");
    aborted.abort(new Error("hung up"));
    await refused;
    release();
    expect(await Promise.all(calls)).toHaveLength(1_000);
    expect(here.link.sent.snapshots).toBe(1);
  });

  it("shares statements: a thousand cold organisations cost a few dozen", async () => {
    const { worker } = await platform();
    await using here = worker();
    await here.resolver.ready();
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => here.resolver.resolve(`org-${index}`, agent)));
    expect(here.link.sent.snapshots).toBeLessThan(40);
  });

  it("ends when the resolver is closed, and leaves no timer behind", async () => {
    const { worker } = await platform();
    const here = worker();
    await here.resolver.resolve("warm", agent);
    here.link.hold();
    const failed = expect(here.resolver.resolve("org", agent)).rejects.toBeInstanceOf(ByokError);
    await settle();
    await here.resolver.close();
    await failed;
    await expect(here.resolver.resolve("warm", agent)).rejects.toMatchObject({ code: "closed" });
  });

  it("of a read that lands after the close leaves no key in memory", async () => {
    const { worker } = await platform();
    const here = worker();
    const release = here.link.hold();
    const failed = expect(here.resolver.resolve("org", agent)).rejects.toMatchObject({ code: "closed" });
    await waitFor(() => expect(here.link.sent.snapshots).toBe(1));
    await here.resolver.close();
    release();
    await failed;
    await waitFor(() => expect(here.resolver.health().memory.reads).toBe(0));
    expect(here.resolver.health().memory).toEqual({ organisations: 0, reads: 0 });
  });

  it("of reads that nobody waits for any more ends by their limit", async () => {
    const { worker } = await platform();
    await using here = worker();
    await here.resolver.ready();
    here.link.hold();
    const calls = ["a", "b", "c", "d", "e"].map((org) =>
      expect(here.resolver.resolve(org, agent, { deadlineMs: 100 })).rejects.toMatchObject({
        code: "deadline_exceeded",
      }),
    );
    await here.clock.advance(100);
    await Promise.all(calls);
    expect(here.resolver.health().memory.reads).toBe(5);
    await here.clock.advance(1_900);
    expect(here.resolver.health().memory.reads).toBe(0);
  });

  it("for a read that is stuck is not shared by a call that knows of a newer change", async () => {
    const { manager, worker } = await platform();
    await using here = worker({ deadlineMs: 60_000 });
    await here.resolver.resolve("other", agent);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.clock.advance(3_000);
    const release = here.link.hold();
    const early = here.resolver.resolve("org", agent);
    await settle();
    here.link.flow();
    await manager.remove("org", { provider: "ada" });
    await here.clock.advance(3_000);
    expect(await keyOf(here.resolver.resolve("org", agent))).toBe("platform-ada");
    release();
    expect(await keyOf(early)).toBe("platform-ada");
  });
});

describe("memory", () => {
  it("is bounded, and what it forgot is never taken back older", async () => {
    const { manager, worker } = await platform();
    await using here = worker({ maxOrgs: 5 });
    for (let org = 0; org < 40; org += 1) {
      await manager.set(`org-${org}`, { provider: "ada", apiKey: `key-${org}` });
      await here.resolver.resolve(`org-${org}`, agent);
    }
    expect(here.resolver.health().memory.organisations).toBe(5);
    await here.clock.advance(3_000);
    for (let org = 0; org < 40; org += 1) {
      expect(await keyOf(here.resolver.resolve(`org-${org}`, agent))).toBe(`key-${org}`);
    }
  });

  it("is not polled for while it is empty", async () => {
    const { worker } = await platform();
    await using here = worker();
    await here.resolver.ready();
    await here.clock.advance(60_000);
    expect(here.link.sent.polls).toBe(1);
    expect(here.resolver.health().isReady).toBe(true);
  });
});
