import { describe, expect, it } from "vitest";
import { PollRateLimiter } from "../../src/coherence/poll-rate-limiter.ts";
import type { ChangeNotice, KeyCache } from "../../src/shared-cache/key-cache.ts";
import { NoticeListener } from "../../src/shared-cache/notice-listener.ts";
import { idleCache } from "../support/idle-cache.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { agent, platform } from "../support/worker.ts";

const quiet = idleCache();

const none = (): boolean => false;

/** Asks every millisecond, for a change that the log never shows. */
async function flood(pace: PollRateLimiter, clock: ManualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 1) {
    pace.ask(Number.POSITIVE_INFINITY);
    await clock.advance(1);
  }
}

/** A limiter whose polls take `tookMs` and show what they were asked for or not, and when they began. */
function limited(clock: ManualClock, tookMs: number, hasShown: boolean) {
  const beganAtMs: number[] = [];
  const poll = (): Promise<boolean> => {
    beganAtMs.push(clock.monotonicMs());
    if (tookMs === 0) return Promise.resolve(hasShown);
    return new Promise((resolve) => clock.schedule(tookMs, () => resolve(hasShown)));
  };
  return { pace: new PollRateLimiter({ clock, poll, hasReadUpTo: none }), beganAtMs };
}

describe("notices", () => {
  it("that show nothing cause five polls at once and ten a second after that, and none is lost", async () => {
    const clock = new ManualClock();
    const { pace, beganAtMs } = limited(clock, 0, false);
    await flood(pace, clock, 1_000);
    expect(beganAtMs.length).toBeGreaterThanOrEqual(13);
    expect(beganAtMs.length).toBeLessThanOrEqual(15);
    await flood(pace, clock, 2_000);
    expect(beganAtMs.length).toBeLessThanOrEqual(35);
    await clock.advance(1_000);
    const before = beganAtMs.length;
    pace.ask(Number.POSITIVE_INFINITY);
    await settle();
    expect(beganAtMs).toHaveLength(before + 1);
  });

  it("that show a change that matters cause fifty polls a second, five milliseconds apart after a quiet time", async () => {
    const clock = new ManualClock();
    const { pace, beganAtMs } = limited(clock, 0, true);
    await flood(pace, clock, 3_000);
    const [began = 0] = beganAtMs;
    expect(beganAtMs.slice(0, 5).map((at) => at - began)).toEqual([0, 5, 10, 15, 20]);
    expect(beganAtMs.length).toBeGreaterThanOrEqual(140);
    expect(beganAtMs.length).toBeLessThanOrEqual(155);
  });

  it("cause polls that begin four times as far apart as the last one took", async () => {
    const clock = new ManualClock();
    const { pace, beganAtMs } = limited(clock, 80, true);
    await flood(pace, clock, 1_000);
    const [began = 0] = beganAtMs;
    expect(beganAtMs.map((at) => at - began)).toEqual([0, 320, 640, 960]);
  });

  it("during a poll cause one more after it, and none for a change that it has shown", async () => {
    const clock = new ManualClock();
    let read = 0;
    const releases: ((hasShown: boolean) => void)[] = [];
    const poll = (): Promise<boolean> => new Promise((resolve) => releases.push(resolve));
    const pace = new PollRateLimiter({ clock, poll, hasReadUpTo: (seq) => seq <= read });
    for (const seq of [3, 5, 4]) pace.ask(seq);
    expect(releases).toHaveLength(1);
    read = 4;
    releases[0]?.(true);
    await clock.advance(5);
    expect(releases).toHaveLength(2);
    for (const seq of [6, 7]) pace.ask(seq);
    read = 7;
    releases[1]?.(true);
    await clock.advance(1_000);
    expect(releases).toHaveLength(2);
  });

  it("that are forged gain nothing by the changes of others, and what a worker holds is heard of at once", async () => {
    const { worker, manager } = await platform();
    const subscribers: ((notice: ChangeNotice) => void)[] = [];
    const subscribe: KeyCache["subscribe"] = (onNotice) => {
      subscribers.push(onNotice);
      return { close() {} };
    };
    await using here = worker({ cache: { ...quiet, subscribe } });
    await here.resolver.resolve("held", agent);
    const before = here.link.sent.polls;
    for (let at = 0; at < 50; at += 1) {
      await manager.set("other", { provider: "ada", apiKey: `other-${at}` });
      subscribers[0]?.({ orgId: "held", seq: 1_000_000 });
      await here.clock.advance(20);
    }
    expect(here.link.sent.polls - before).toBeLessThanOrEqual(16);
    await here.clock.advance(1_000);
    for (let at = 0; at < 30; at += 1) {
      const { seq } = await manager.set("held", { provider: "ada", apiKey: `key-${at}` });
      subscribers[0]?.({ orgId: "held", seq });
      await here.clock.advance(20);
      expect(here.resolver.health().feed.lastSeq).toBe(seq);
      await here.resolver.resolve("held", agent);
    }
  });

  it("that stay away although the log goes on make the subscription new, at most once a minute", async () => {
    const clock = new ManualClock();
    const subscribers: ((notice: ChangeNotice) => void)[] = [];
    const closed: number[] = [];
    const subscribe: KeyCache["subscribe"] = (onNotice) => {
      const index = subscribers.push(onNotice) - 1;
      return { close: () => closed.push(index) };
    };
    const listener = new NoticeListener({ ...quiet, subscribe }, clock, () => {});
    listener.listen();
    listener.listen();
    expect(subscribers).toHaveLength(1);
    subscribers[0]?.({ orgId: "org", seq: 6 });
    expect(listener.judge(5, 6)).toBe(false);
    expect(listener.judge(6, 7)).toBe(false);
    subscribers[0]?.({ orgId: "org", seq: 7 });
    expect(listener.judge(7, 8)).toBe(false);
    expect(listener.judge(8, 8)).toBe(true);
    expect([subscribers.length, closed]).toEqual([2, [0]]);
    expect(listener.judge(8, 9)).toBe(false);
    expect(listener.judge(9, 9)).toBe(false);
    await clock.advance(60_000);
    expect(listener.judge(9, 10)).toBe(false);
    expect(listener.judge(10, 10)).toBe(true);
    listener.close();
    expect(closed).toEqual([0, 1, 2]);
  });

  it("that stay away while the log shows changes make a worker subscribe anew", async () => {
    const { worker, manager } = await platform();
    let subscriptions = 0;
    const subscribe: KeyCache["subscribe"] = () => {
      subscriptions += 1;
      return { close() {} };
    };
    await using here = worker({ cache: { ...quiet, subscribe } });
    await here.resolver.resolve("org", agent);
    expect(subscriptions).toBe(1);
    await manager.set("org", { provider: "ada", apiKey: "own-ada" });
    await here.clock.advance(3_000);
    await here.resolver.resolve("org", agent);
    expect([subscriptions, here.events.filter(({ type }) => type === "subscription_renewed")]).toEqual([1, []]);
    await here.clock.advance(3_000);
    expect(subscriptions).toBe(2);
    expect(here.events).toContainEqual({ type: "subscription_renewed" });
  });

  it("of a batch have a worker that holds anything read the log", async () => {
    const { worker, manager } = await platform();
    const subscribers: ((notice: ChangeNotice) => void)[] = [];
    const subscribe: KeyCache["subscribe"] = (onNotice) => {
      subscribers.push(onNotice);
      return { close() {} };
    };
    await using here = worker({ cache: { ...quiet, subscribe } });
    await here.resolver.ready();
    const rows = [1, 2, 3].map((at) => ({ orgId: `org-${at}`, provider: "ada", apiKey: `key-of-org-${at}` }));
    await manager.setMany(rows);
    subscribers[0]?.({ orgId: null, seq: null });
    await settle();
    const { polls } = here.link.sent;
    expect((await here.resolver.resolve("org-2", agent)).llm.credential.key.reveal()).toBe("key-of-org-2");
    await manager.setMany(rows.map((row) => ({ ...row, apiKey: `new-${row.apiKey}` })));
    subscribers[0]?.({ orgId: null, firstSeq: 4, seq: 6 });
    await settle();
    expect(here.link.sent.polls).toBeGreaterThan(polls);
    expect((await here.resolver.resolve("org-2", agent)).llm.credential.key.reveal()).toBe("new-key-of-org-2");
  });

  it("of a batch stand for all of its changes", () => {
    const subscribers: ((notice: ChangeNotice) => void)[] = [];
    const subscribe: KeyCache["subscribe"] = (onNotice) => {
      subscribers.push(onNotice);
      return { close() {} };
    };
    const listener = new NoticeListener({ ...quiet, subscribe }, new ManualClock(), () => {});
    listener.listen();
    expect(listener.judge(3, 6)).toBe(false);
    subscribers[0]?.({ orgId: null, firstSeq: 4, seq: 6 });
    expect(listener.judge(6, 6)).toBe(false);
    expect(listener.judge(6, 9)).toBe(false);
    subscribers[0]?.({ orgId: null, firstSeq: 8, seq: 9 });
    expect(listener.judge(9, 9)).toBe(true);
    listener.close();
  });

  it("whose range is forged cost no more than a thousand numbers", () => {
    const subscribers: ((notice: ChangeNotice) => void)[] = [];
    const subscribe: KeyCache["subscribe"] = (onNotice) => {
      subscribers.push(onNotice);
      return { close() {} };
    };
    const listener = new NoticeListener({ ...quiet, subscribe }, new ManualClock(), () => {});
    listener.listen();
    let looks = 0;
    // A number that counts how often it is looked at: a loop that never ends fails no test.
    const counting = {
      valueOf() {
        looks += 1;
        if (looks > 2_000) throw new Error("It goes through the whole range.");
        return Number.MAX_SAFE_INTEGER - 1;
      },
    };
    subscribers[0]?.({ orgId: null, firstSeq: 0, seq: counting as unknown as number });
    expect(listener.judge(0, 1)).toBe(false);
    listener.close();
  });
});
