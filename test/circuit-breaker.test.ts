import { describe, expect, it } from "vitest";
import { CircuitBreaker } from "../src/circuit-breaker.ts";
import { ManualClock, settle } from "./support/manual-clock.ts";

const createBreaker = (clock: ManualClock, onChange: (isUp: boolean) => void = () => {}): CircuitBreaker =>
  new CircuitBreaker({ clock, maxPending: 1_000, onChange });

describe("a service that fails", () => {
  it("is asked no more after five failures, except for probes ever further apart, and again when it answers", async () => {
    const clock = new ManualClock();
    let asked = 0;
    let isBroken = true;
    const states: boolean[] = [];
    const breaker = createBreaker(clock, (isUp) => states.push(isUp));
    const ask = (): Promise<unknown> =>
      breaker.run(50, async () => {
        asked += 1;
        if (isBroken) throw new Error("broken");
      });
    for (let at = 0; at < 50; at += 1) await ask();
    expect([asked, breaker.isUp, states]).toEqual([5, false, [false]]);
    for (let at = 0; at < 600; at += 1) {
      await ask();
      await clock.advance(100);
    }
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(25);
    isBroken = false;
    await clock.advance(5_000);
    await ask();
    expect([breaker.isUp, states]).toEqual([true, [false, true]]);
    await ask();
    expect(breaker.isUp).toBe(true);
  });

  it("is waited for no longer than its time-out, and gathers no requests without end", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const breaker = createBreaker(clock);
    const ask = (): Promise<unknown> =>
      breaker.run(50, () => {
        asked += 1;
        return new Promise(() => {});
      });
    const answers = Promise.all(Array.from({ length: 3_000 }, ask));
    await settle();
    expect(asked).toBe(1_000);
    await clock.advance(50);
    expect((await answers).every((answer) => answer === undefined)).toBe(true);
    expect(breaker.isUp).toBe(false);
  });

  it("is tried by one probe at a time, however long that takes", async () => {
    const clock = new ManualClock();
    const breaker = createBreaker(clock);
    for (let at = 0; at < 5; at += 1) breaker.begin()?.end(false);
    await clock.advance(1_000);
    const probe = breaker.begin();
    expect(probe?.isProbe).toBe(true);
    await clock.advance(60_000);
    expect(breaker.begin()).toBeUndefined();
    probe?.end(false);
    await clock.advance(5_000);
    breaker.begin()?.end(undefined);
    const next = breaker.begin();
    probe?.end(true);
    expect([breaker.isUp, next?.isProbe], "an end counts once").toEqual([false, true]);
    next?.end(true);
    expect(breaker.isUp).toBe(true);
  });

  it("is tried like any other where it is known to be out of reach, and asked at once when it has answered somebody", async () => {
    const clock = new ManualClock();
    const states: boolean[] = [];
    const breaker = createBreaker(clock, (isUp) => states.push(isUp));
    for (let times = 0; times < 3; times += 1) breaker.giveUp();
    expect([breaker.begin(), states]).toEqual([undefined, [false]]);
    await clock.advance(250);
    expect(breaker.begin()?.isProbe).toBe(true);
    breaker.noteAnswer();
    expect([breaker.begin()?.isProbe, states]).toEqual([false, [false, true]]);
  });

  it("is tried soon after it is given up, however many requests were under way then", async () => {
    const clock = new ManualClock();
    const breaker = createBreaker(clock);
    const underWay = Array.from({ length: 200 }, () => breaker.begin());
    for (const attempt of underWay) attempt?.end(false);
    for (let at = 0; at < 200; at += 1) breaker.noteFailure();
    await clock.advance(250);
    expect(breaker.begin()?.isProbe).toBe(true);
  });
});
