import { type Command, InvalidArgumentError } from "commander";
import { openDeployment } from "./deployment.ts";
import type { Environment } from "./environment.ts";
import { exitCodes } from "./exit-code.ts";

interface ServeCommandOptions {
  readonly tokens: string;
  readonly host: string;
  readonly port: number;
  readonly drainMs: number;
}

/** The longest that the reader of the log is waited for at the end, in milliseconds. */
const flushMs = 1_000;

export function addServeCommand(program: Command, env: Environment): void {
  program
    .command("serve")
    .description(
      "serves the management API, one line of JSON a request; SIGTERM and SIGINT end it, a second one at once",
    )
    .requiredOption(
      "--tokens <file>",
      "the file of tokens, read again when it changes and on SIGHUP; see `byokit tokens`",
    )
    .option("--host <address>", "where to listen; the default is reached by this machine only", "127.0.0.1")
    .option("--port <number>", "0 takes any that is free", parsePort, 8_787)
    .option(
      "--drain-ms <number>",
      "how long to keep answering after SIGTERM, with 503 at /readyz, so that a load balancer notices; 0 for none",
      parseDrainMs,
      5_000,
    )
    .addHelpText("after", "\nExample:\n  byokit serve --tokens tokens.json --port 8787")
    .action(async (options: ServeCommandOptions) => {
      const asked = watchSignals();
      // Imported here: no other command is to wait for a web framework.
      const [{ LineOutput }, { pino }] = await Promise.all([import("../http/server/line-output.ts"), import("pino")]);
      // A command ends when its output is no longer read. A server does not.
      process.stdout.removeAllListeners("error");
      const output = LineOutput.to(process.stdout);
      try {
        await serveUntil(asked, { ...options, env, logger: pino({}, output) });
      } finally {
        // Output that is not read would keep the process.
        if (!(await output.flush(flushMs))) process.exit(process.exitCode ?? exitCodes.done);
      }
    });
}

interface ServeUntilOptions extends ServeCommandOptions {
  readonly env: Environment;
  readonly logger: import("pino").Logger;
}

async function serveUntil(asked: Promise<NodeJS.Signals>, options: ServeUntilOptions): Promise<void> {
  const { tokens: file, host, port, drainMs, env, logger } = options;
  const [{ serve }, { watchTokens }, { findOpenRights }] = await Promise.all([
    import("../http/server/serve.ts"),
    import("./token-watch.ts"),
    import("./token-file.ts"),
  ]);
  using tokens = watchTokens(file, logger);
  const warning = findOpenRights(file);
  if (warning !== undefined) logger.warn({ detail: warning }, "tokens open to others");
  await using deployment = await openDeployment(env, {
    onCacheFailure: (failure) => logger.error(failure, "redis"),
    onEvent: (event) => logger.error(event, "key"),
    createsDatabase: true,
  });
  const { manager, store } = deployment;
  await store.migrate();
  const ready = () => store.poll({ windowMs: 0 });
  const { authenticate } = tokens;
  await using server = await serve({ manager, authenticate, host, port, logger, ready, drainMs });
  const reread = (): void => void tokens.reread();
  process.on("SIGHUP", reread);
  try {
    // At a terminal there is no balancer to wait for.
    const signal = await asked;
    await server.close(signal === "SIGINT" ? { drainMs: 0 } : {});
  } finally {
    process.off("SIGHUP", reread);
  }
}

/** Resolves to the first signal to end. From then on another one ends the process at once. */
function watchSignals(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let isAsked = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isAsked) process.exit(exitCodes.failed);
      isAsked = true;
      resolve(signal);
    });
  }
  return promise;
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

function parseDrainMs(text: string): number {
  const drainMs = /^\d{1,6}$/u.test(text) ? Number(text) : Number.NaN;
  if (drainMs <= 600_000) return drainMs;
  throw new InvalidArgumentError("A drain takes 0 to 600000 milliseconds.");
}
