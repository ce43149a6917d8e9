/**
 * Calls what a platform gave to be told, if it gave anything. However it ends, now or later, is its own affair: it neither
 * ends the process nor changes an answer.
 */
export function callHook<A extends readonly unknown[]>(hook: ((...told: A) => unknown) | undefined, ...told: A): void {
  if (hook === undefined) return;
  try {
    const returned = hook(...told);
    const mayBePromise = (typeof returned === "object" && returned !== null) || typeof returned === "function";
    if (mayBePromise) awaitIt(returned).catch(ignore);
  } catch {
    // Said above.
  }
}

/** What a port of a platform's own answers at once; `otherwise` where it throws. What it might reject with is ignored. */
export function callPort<T>(call: () => T, otherwise: T): T {
  let answer = otherwise;
  callHook(() => {
    answer = call();
    return answer;
  });
  return answer;
}

async function awaitIt(value: unknown): Promise<void> {
  await value;
}

function ignore(): void {}
