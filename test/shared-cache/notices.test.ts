import { describe, expect, it } from "vitest";
import { PollRateLimiter } from "../../src/coherence/poll-rate-limiter.ts";
import type { ChangeNotice, KeyCache } from "../../src/shared-cache/key-cache.ts";
import { NoticeListener } from "../../src/shared-cache/notice-listener.ts";
import { idleCache } from "../support/idle-cache.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { agent, platform } from "../support/worker.ts";

const quiet = idleCache();

describe("notices", () => {
  it("cause five polls at once and ten a second after that, and none is lost", async () => {
    const clock = new ManualClock();
    let polls = 0;
    const pace = new PollRateLimiter(clock, async () => {
      polls += 1;
    });
    const flood = async (ms: number): Promise<void> => {
      for (let at = 0; at < ms; at += 10) {
        pace.ask();
        await clock.advance(10);
      }
    };
    await flood(1_000);
    expect(polls).toBeGreaterThanOrEqual(13);
    expect(polls).toBeLessThanOrEqual(16);
    await flood(10_000);
    expect(polls).toBeLessThanOrEqual(116);
    await clock.advance(1_000);
    const before = polls;
    pace.ask();
    await settle();
    expect(polls).toBe(before + 1);
  });

  it("during a poll cause one more after it", async () => {
    const clock = new ManualClock();
    const releases: (() => void)[] = [];
    const pace = new PollRateLimiter(clock, () => new Promise((resolve) => releases.push(resolve)));
    for (let at = 0; at < 4; at += 1) pace.ask();
    expect(releases).toHaveLength(1);
    releases[0]?.();
    await settle();
    expect(releases).toHaveLength(2);
    releases[1]?.();
    await settle();
    expect(releases).toHaveLength(2);
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
    subscribers[0]?.({ orgId: null, firstSeq: 0, seq: Number.MAX_SAFE_INTEGER - 1 });
    expect(listener.judge(0, 1)).toBe(false);
    listener.close();
  });
});
