/** How many schedules have seen each. */
export type Counts = Readonly<Record<string, number>>;

export function count(counts: Record<string, number>, name: string, times = 1): void {
  counts[name] = (counts[name] ?? 0) + times;
}

export function sum(a: Counts, b: Counts): Counts {
  const both: Record<string, number> = { ...a };
  for (const [name, times] of Object.entries(b)) count(both, name, times);
  return both;
}
