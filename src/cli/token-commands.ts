import { createHash, randomBytes } from "node:crypto";
import type { Command } from "commander";
import { type OutputOptions, print } from "./output.ts";

interface TokenOptions extends OutputOptions {
  readonly tokens: string;
  readonly org: string;
  readonly actor?: string;
  readonly readOnly?: boolean;
}

export function addTokenCommands(program: Command): void {
  program
    .command("tokens")
    .description("bearer tokens of `byokit serve`")
    .command("add")
    .description("makes a token, prints it once, and keeps its hash in the file")
    .requiredOption("--tokens <file>", "the file of `byokit serve`, made if it is not there")
    .requiredOption("--org <id>", "the organisation that the token speaks for")
    .option("--actor <name>", "who has it, for the audit trail")
    .option("--read-only", "it may not change keys")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  BYOK_TOKEN=$(byokit tokens add --tokens tokens.json --org acme)")
    .action(async ({ tokens: file, org: orgId, actor, readOnly = false, json = false }: TokenOptions) => {
      const { addToken } = await import("./token-file.ts");
      const token = randomBytes(32).toString("base64url");
      const sha256 = createHash("sha256").update(token).digest("hex");
      addToken(file, { sha256, orgId, ...(actor === undefined ? {} : { actor }), canWrite: !readOnly });
      print({ token, orgId }, [[token]], json);
    });
}
