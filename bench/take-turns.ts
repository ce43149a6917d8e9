/** What is timed, by one call of it. A promise is waited for; what returns none is timed without an `await`. */
export type Work = () => unknown;

export interface Pace {
  /** How often each has its turn. @default 21 */
  readonly rounds?: number;
  /** How long a turn takes at least: far longer than reading the clock, and long enough for its own garbage. @default 25 */
  readonly turnMs?: number;
  /** @default performance.now */
  readonly now?: () => number;
}

/** How much may fail on a busy machine, and is begun again, before a failure is told. */
const maxFailures = 10;
const maxCalls = 2 ** 26;

/** What a work returned last, so that no compiler finds its calls to be for nothing. */
export let lastResult: unknown;

/**
 * Times works in turns, so that a busy machine slows down all of them: per round, the microseconds that a call of each took
 * on average in a batch of calls.
 */
export async function takeTurns(
  works: readonly Work[],
  { rounds = 21, turnMs = 25, now = () => performance.now() }: Pace = {},
): Promise<number[][]> {
  const patiently = patience();
  const batches: (() => Promise<number>)[] = [];
  for (const work of works) batches.push(await patiently(() => batchOf(work, turnMs, now)));
  const order = [...batches.keys()];
  const taken: number[][] = [];
  while (taken.length < rounds) {
    taken.push(
      await patiently(async () => {
        const round: number[] = [];
        for (const at of order) round[at] = (await batches[at]?.()) ?? Number.NaN;
        return round;
      }),
    );
    order.reverse();
  }
  return taken;
}

/** Begins again what fails, a few times in all. */
function patience(): <T>(attempt: () => Promise<T>) => Promise<T> {
  let failures = 0;
  return async (attempt) => {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        failures += 1;
        if (failures > maxFailures) throw error;
      }
    }
  };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The median of each work over the rounds. */
export function medians(rounds: readonly (readonly number[])[]): number[] {
  return (rounds[0] ?? []).map((_, at) => median(rounds.map((round) => round[at] ?? Number.NaN)));
}

/** The round in which the works together took least, each beside its median: the one that the machine disturbed least. */
export function leastDisturbed(rounds: readonly (readonly number[])[]): readonly number[] {
  const usual = medians(rounds);
  const disturbance = (round: readonly number[]): number =>
    round.reduce((sum, us, at) => sum + us / (usual[at] ?? Number.NaN), 0);
  return rounds.toSorted((a, b) => disturbance(a) - disturbance(b))[0] ?? [];
}

/** A batch of as many calls as take `turnMs`; it returns the microseconds of one of them. */
async function batchOf(work: Work, turnMs: number, now: () => number): Promise<() => Promise<number>> {
  const first = work();
  const run = first instanceof Promise ? awaited : atOnce;
  await first;
  const timed = async (calls: number): Promise<number> => {
    const startedAt = now();
    const running = run(work, calls);
    if (running !== undefined) await running;
    return now() - startedAt;
  };
  // A single long batch may have been an interruption.
  const isLong = async (calls: number): Promise<boolean> => {
    for (let time = 0; time < 3; time += 1) if ((await timed(calls)) < turnMs) return false;
    return true;
  };
  let calls = 1;
  while (calls < maxCalls && !(await isLong(calls))) calls *= 2;
  return async () => ((await timed(calls)) * 1_000) / calls;
}

function atOnce(work: Work, calls: number): undefined {
  for (let call = 0; call < calls; call += 1) lastResult = work();
}

async function awaited(work: Work, calls: number): Promise<void> {
  for (let call = 0; call < calls; call += 1) lastResult = await work();
}
