import { describe, expect, it } from "vitest";
import { type ByokError, isByokError } from "../../src/errors.ts";
import { CheckLimiter, type CheckLimits } from "../../src/manager/check-limiter.ts";
import { ManualClock } from "../support/manual-clock.ts";

const limiting = (limits?: CheckLimits, maxBuckets?: number) => {
  const clock = new ManualClock();
  return { clock, limiter: new CheckLimiter(clock, limits, maxBuckets) };
};
/** The error that a check does not begin with; `undefined` for one that begins, and has ended when this returns. */
const refusal = (limiter: CheckLimiter, orgId = "org", provider = "openai"): ByokError | undefined => {
  try {
    limiter.begin(orgId, provider)();
    return undefined;
  } catch (error) {
    if (isByokError(error)) return error;
    throw error;
  }
};
/** How many checks begin and end before one is refused. */
const countChecks = (limiter: CheckLimiter, orgId?: string, provider?: string): number => {
  let count = 0;
  while (count < 1_000 && refusal(limiter, orgId, provider) === undefined) count += 1;
  return count;
};

describe("the checks of an organisation and a provider", () => {
  it("are 20 in one go and 3 at once where nobody says otherwise", () => {
    expect(countChecks(limiting().limiter)).toBe(20);
    const { limiter } = limiting();
    for (let check = 0; check < 3; check += 1) limiter.begin("org", "openai");
    expect(refusal(limiter)).toMatchObject({ code: "checks_limited" });
  });

  it("are refused with who, what and for how long", () => {
    const { clock, limiter } = limiting({ perMinute: 20 });
    countChecks(limiter);
    expect(refusal(limiter)).toMatchObject({
      code: "checks_limited",
      retryable: true,
      orgId: "org",
      provider: "openai",
      retryAfterMs: 3_000,
      message: expect.stringContaining("Try again in 3 s."),
    });
    clock.pauseProcess(2_999.5);
    expect(refusal(limiter)).toMatchObject({ retryAfterMs: 1 });
  });

  it("come back one by one, after the time that was named", () => {
    const { clock, limiter } = limiting({ perMinute: 20 });
    countChecks(limiter);
    clock.pauseProcess(2_999);
    expect(countChecks(limiter)).toBe(0);
    clock.pauseProcess(1);
    expect(countChecks(limiter)).toBe(1);
    clock.pauseProcess(9_000);
    expect(countChecks(limiter)).toBe(3);
  });

  it("are no more after a long rest than at the start", () => {
    const { clock, limiter } = limiting({ perMinute: 5 });
    const end = limiter.begin("org", "openai");
    clock.pauseProcess(86_400_000);
    expect(countChecks(limiter)).toBe(5);
    end();
  });

  it("are not used up by checks that were refused", () => {
    const { clock, limiter } = limiting({ perMinute: 2, atOnce: 1 });
    const end = limiter.begin("org", "openai");
    for (let refused = 0; refused < 50; refused += 1) expect(refusal(limiter)).toBeDefined();
    end();
    expect(countChecks(limiter)).toBe(1);
    for (let refused = 0; refused < 50; refused += 1) expect(refusal(limiter)).toBeDefined();
    clock.pauseProcess(30_000);
    expect(countChecks(limiter)).toBe(1);
  });

  it("are as many at once as was said, until one of them ends", () => {
    const { limiter } = limiting({ atOnce: 2 });
    const [end] = [limiter.begin("org", "openai"), limiter.begin("org", "openai")];
    expect(refusal(limiter)).toMatchObject({ code: "checks_limited", retryAfterMs: 1_000 });
    end();
    expect(refusal(limiter)).toBeUndefined();
  });

  it("leave those of other organisations and of other providers as they are", () => {
    const { limiter } = limiting({ perMinute: 4, atOnce: 2 });
    for (let check = 0; check < 2; check += 1) limiter.begin("org", "openai");
    expect([countChecks(limiter), countChecks(limiter, "other"), countChecks(limiter, "org", "xai")]).toEqual([
      0, 4, 4,
    ]);
  });
});

describe("a flood of organisations", () => {
  it("is forgotten once its minute is over", () => {
    const { clock, limiter } = limiting();
    for (let org = 0; org < 500; org += 1) refusal(limiter, `flood-${org}`);
    expect(limiter.size).toBe(500);
    clock.pauseProcess(60_000);
    refusal(limiter);
    expect(limiter.size).toBe(1);
  });

  it("is forgotten by when each was taken last", () => {
    const { clock, limiter } = limiting();
    for (const orgId of ["first", "second", "first"]) {
      refusal(limiter, orgId);
      clock.pauseProcess(20_000);
    }
    clock.pauseProcess(20_000);
    refusal(limiter);
    expect(limiter.size).toBe(2);
  });

  it("lets nobody's limit be forgotten before it is full again", () => {
    const { clock, limiter } = limiting({ perMinute: 6 }, 100);
    clock.pauseProcess(1);
    expect(countChecks(limiter)).toBe(6);
    for (let org = 0; org < 1_000; org += 1) refusal(limiter, `flood-${org}`);
    expect(countChecks(limiter)).toBe(0);
    clock.pauseProcess(59_999);
    refusal(limiter, "late");
    expect(countChecks(limiter)).toBe(5);
  });

  it("lets no check under way be forgotten", () => {
    const { clock, limiter } = limiting({ atOnce: 1 });
    const end = limiter.begin("org", "openai");
    clock.pauseProcess(120_000);
    refusal(limiter, "other");
    expect(refusal(limiter)).toMatchObject({ code: "checks_limited" });
    end();
    expect(refusal(limiter)).toBeUndefined();
  });

  it("fills no more than its room: who comes then waits, and who was there goes on", () => {
    const { clock, limiter } = limiting({}, 100);
    refusal(limiter);
    clock.pauseProcess(20_000);
    for (let org = 0; org < 1_000; org += 1) refusal(limiter, `flood-${org}`);
    expect(limiter.size).toBe(100);
    expect(refusal(limiter, "new")).toMatchObject({ code: "checks_limited", retryAfterMs: 40_000 });
    clock.pauseProcess(40_000);
    expect(refusal(limiter, "new")).toBeUndefined();
    expect(refusal(limiter, "flood-7")).toBeUndefined();
    expect(limiter.size).toBe(100);
  });
});
