/** A terminal's Ctrl-C comes twice, where npm passes it on as well. */
const echoMs = 1_000;

/** Calls back with the first signal to end; a later one, and without a callback the first, ends this process at once. */
export function onInterruption(stop?: () => void): void {
  let firstAt: number | undefined;
  const interrupt = (): void => {
    if (stop === undefined || (firstAt !== undefined && performance.now() - firstAt > echoMs)) process.exit(130);
    if (firstAt === undefined) stop();
    firstAt ??= performance.now();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
}
