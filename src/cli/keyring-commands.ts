import type { Command } from "commander";
import { generateKeyring, parseKeyring, type Ring } from "../keyring/keyring-json.ts";
import type { Environment } from "./environment.ts";
import { type OutputOptions, print } from "./output.ts";
import { readKeyring } from "./read-keyring.ts";
import { naming } from "./read-setting.ts";
import { writeNewFile } from "./write-new-file.ts";

interface CreateOptions extends OutputOptions {
  readonly kid?: string;
  readonly output?: string;
}

export function addKeyringCommands(program: Command, env: Environment): void {
  const keyring = program.command("keyring").description("the keys that seal customers' keys");

  keyring
    .command("create")
    .description("creates a new keyring; keep it in a secret store, because it opens every key")
    .option("-o, --output <file>", "write it to a new file that its owner alone can read; absent: print it")
    .option("--kid <id>", "the name of its key: a-z, 0-9 and -")
    .option("--json", "print JSON, which a keyring is anyway")
    .addHelpText("after", "\nExample:\n  byokit keyring create -o keyring.json")
    .action(({ kid, output: file, json: isJson = false }: CreateOptions) => {
      const json = generateKeyring(kid);
      if (file === undefined) return print(json, [], true);
      writeNewFile(file, `${JSON.stringify(json, null, 2)}\n`);
      print({ keyring: file }, [[`${file} holds the new keyring. Keep a copy in a secret store.`]], isJson);
    });

  keyring
    .command("show")
    .description("shows what the keyring of BYOK_KEYRING holds, without its keys")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  BYOK_KEYRING=./keyring.json byokit keyring show --json")
    .action(({ json = false }: OutputOptions) => {
      const keyringJson = readKeyring(env);
      const { keys, cache } = naming("BYOK_KEYRING", () => parseKeyring(keyringJson));
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
