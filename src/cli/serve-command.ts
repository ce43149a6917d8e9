import { type Command, InvalidArgumentError } from "commander";
import { openDeployment } from "./deployment.ts";
import type { Environment } from "./environment.ts";
import { readText } from "./read-text.ts";

interface ServeCommandOptions {
  readonly tokens: string;
  readonly host: string;
  readonly port: number;
}

export function addServeCommand(program: Command, env: Environment): void {
  program
    .command("serve")
    .description("serves the management API, one line of JSON a request; SIGTERM and SIGINT end it")
    .requiredOption("--tokens <file>", "who may ask; see `byokit tokens add`")
    .option("--host <address>", "where to listen; the default is reached by this machine only", "127.0.0.1")
    .option("--port <number>", "0 takes any that is free", parsePort, 8_787)
    .addHelpText("after", "\nExample:\n  byokit serve --tokens tokens.json --port 8787")
    .action(async ({ tokens: file, host, port }: ServeCommandOptions) => {
      // Imported here: no other command is to wait for a web framework.
      const [{ bearerTokens, parseTokens }, { serve }, { pino }] = await Promise.all([
        import("../http/server/bearer-tokens.ts"),
        import("../http/server/serve.ts"),
        import("pino"),
      ]);
      const logger = pino();
      const authenticate = bearerTokens(parseTokens(readText(file, "of tokens")));
      await using deployment = await openDeployment(env, {
        onCacheFailure: (failure) => logger.error(failure, "redis"),
        createsDatabase: true,
      });
      const { manager, store } = deployment;
      await store.migrate();
      await using _server = await serve({
        manager,
        authenticate,
        host,
        port,
        logger,
        ready: () => store.poll({ windowMs: 0 }),
      });
      await new Promise<void>((resolve) => {
        for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
      });
    });
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}
