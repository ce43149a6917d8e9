import { createHash, randomBytes } from "node:crypto";
import { type Command, InvalidArgumentError } from "commander";
import type { HashedToken } from "../http/server/bearer-tokens.ts";
import { type OutputOptions, print } from "./output.ts";
import { readText } from "./read-text.ts";

interface FileOptions extends OutputOptions {
  readonly tokens: string;
}
interface AddOptions extends FileOptions {
  readonly org: string;
  readonly actor?: string;
  readonly readOnly?: boolean;
  readonly expires?: string;
}

export function addTokenCommands(program: Command): void {
  const tokens = program.command("tokens").description("bearer tokens of `byokit serve`");
  tokens
    .command("add")
    .description("creates a token, prints it once, and keeps its hash in the file")
    .requiredOption("--tokens <file>", "the file of `byokit serve`, created if it is not there")
    .requiredOption("--org <id>", "the organisation that the token speaks for")
    .option("--actor <name>", "who has it, for the audit trail")
    .option("--read-only", "the token may not change keys")
    .option("--expires <when>", "a date (2027-01-31, its beginning in UTC), a time with its zone, or as 12h, 90d, 4w")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  BYOK_TOKEN=$(byokit tokens add --tokens tokens.json --org acme --expires 90d)")
    .action(async ({ tokens: file, org: orgId, actor, readOnly = false, expires, json = false }: AddOptions) => {
      const [{ addToken }, { parseExpiry }] = await Promise.all([
        import("./token-file.ts"),
        import("./token-expiry.ts"),
      ]);
      const createdAt = new Date();
      const expiresAt = expires === undefined ? undefined : parseExpiry(expires, createdAt.getTime());
      if (expires !== undefined && expiresAt === undefined) {
        throw new InvalidArgumentError("--expires takes a date to come, a time with its zone, or as 12h, 90d, 4w.");
      }
      const token = randomBytes(32).toString("base64url");
      addToken(file, {
        sha256: createHash("sha256").update(token).digest("hex"),
        orgId,
        ...(actor === undefined ? {} : { actor }),
        canWrite: !readOnly,
        createdAt: createdAt.toISOString(),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      await warnOfOpenRights(file);
      print({ token, orgId, ...(expiresAt === undefined ? {} : { expiresAt }) }, [[token]], json);
    });

  tokens
    .command("list")
    .description("lists the tokens by owner; never shows a token or its hash")
    .requiredOption("--tokens <file>", "the file of `byokit serve`")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  byokit tokens list --tokens tokens.json")
    .action(async ({ tokens: file, json = false }: FileOptions) => {
      const [{ parseTokens }, { tokenId }] = await Promise.all([
        import("../http/server/bearer-tokens.ts"),
        import("./token-file.ts"),
      ]);
      const listed = parseTokens(readText(file, "of tokens")).map((token) => describeToken(tokenId(token), token));
      const rows = listed.map(({ id, orgId, actor, readOnly, createdAt, expiresAt, expired }) => [
        ...[id, orgId, actor, readOnly ? "reads" : "reads and writes", createdAt],
        expired ? `${expiresAt} (expired)` : expiresAt,
      ]);
      await warnOfOpenRights(file);
      print({ tokens: listed }, [["id", "org", "actor", "may", "created", "expires"], ...rows], json);
    });

  tokens
    .command("remove")
    .argument("<id>", "as `byokit tokens list` shows it")
    .description("removes a token from the file; a running server refuses it within a second or so")
    .requiredOption("--tokens <file>", "the file of `byokit serve`")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  byokit tokens remove 3f9c0a71d2be --tokens tokens.json")
    .action(async (id: string, { tokens: file, json = false }: FileOptions) => {
      const { removeToken, tokenId } = await import("./token-file.ts");
      const removed = removeToken(file, id);
      await warnOfOpenRights(file);
      print({ removed: describeToken(tokenId(removed), removed) }, [["removed", tokenId(removed)]], json);
    });
}

function describeToken(id: string, token: HashedToken) {
  const { orgId, actor = null, canWrite, createdAt = null, expiresAt = null } = token;
  const expired = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
  return { id, orgId, actor, readOnly: !canWrite, createdAt, expiresAt, expired };
}

async function warnOfOpenRights(file: string): Promise<void> {
  const { findOpenRights } = await import("./token-file.ts");
  const warning = findOpenRights(file);
  if (warning !== undefined) process.stderr.write(`${warning}\n`);
}
