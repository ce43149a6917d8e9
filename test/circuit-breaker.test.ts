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
});
