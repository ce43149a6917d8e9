import type { Command } from "commander";
import { generateKeyring, parseKeyring, type Ring } from "../keyring/keyring-json.ts";
import { type Environment, readKeyringText } from "./deployment.ts";
import { type OutputOptions, print } from "./output.ts";

export function addKeyringCommands(program: Command, env: Environment): void {
  const keyring = program.command("keyring").description("the keys that seal customers' keys");

  keyring
    .command("create")
    .description("prints a new keyring; keep it in a secret store: whoever has it opens every key")
    .option("--kid <id>", "what its key is called: a-z, 0-9 and -")
    .option("--json", "print JSON, which a keyring is anyway")
    .addHelpText("after", "\nExample:\n  byokit keyring create > keyring.json && chmod 600 keyring.json")
    .action(({ kid }: { readonly kid?: string }) => {
      const json = generateKeyring(kid);
      print(json, [[JSON.stringify(json, null, 2)]], false);
    });

  keyring
    .command("show")
    .description("shows what the keyring of BYOK_KEYRING holds, without its keys")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  BYOK_KEYRING=./keyring.json byokit keyring show --json")
    .action(({ json = false }: OutputOptions) => {
      const { keys, cache } = parseKeyring(readKeyringText(env));
      const result = { keys: describeRing(keys), cache: describeRing(cache) };
      const rows = Object.entries(result).flatMap(([ring, kids]) =>
        kids.map(({ kid, primary }) => [ring, kid, primary ? "primary" : "opens only"]),
      );
      print(result, [["ring", "kid", "use"], ...rows], json);
    });
}

function describeRing({ primary, keys }: Ring): { readonly kid: string; readonly primary: boolean }[] {
  return [...keys.keys()].map((kid) => ({ kid, primary: kid === primary }));
}
