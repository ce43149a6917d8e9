import { type Command, Option } from "commander";
import type { KeyChange, KeyManager } from "../manager/key-manager.ts";
import { openDeployment } from "./deployment.ts";
import type { Environment } from "./environment.ts";
import { exitCodes } from "./exit-code.ts";
import { type OutputOptions, print } from "./output.ts";
import { readKey } from "./read-key.ts";

interface KeyOptions extends OutputOptions {
  readonly org: string;
  readonly provider: string;
  readonly region?: string;
  readonly organization?: string;
  readonly project?: string;
  readonly actor?: string;
  readonly verify?: boolean;
}

export function addKeyCommands(program: Command, env: Environment): void {
  const keys = program.command("keys").description("customers' keys");
  const addCommand = (name: string, description: string, example = ""): Command =>
    keys
      .command(name)
      .description(description)
      .requiredOption("--org <id>", "the organisation")
      .option("--json", "print JSON")
      .addHelpText("after", `\nExample:\n  byokit keys ${name} --org acme${example}`);
  const addProviderCommand = (name: string, description: string, example = ""): Command =>
    addCommand(name, description, ` --provider openai${example}`).requiredOption(
      "--provider <id>",
      "the provider: openai, deepgram, …",
    );
  const createActorOption = (): Option =>
    new Option("--actor <name>", "who does it, for the audit trail").default("byokit");

  addCommand("list", "shows which providers have a key").action(async ({ org, json = false }: KeyOptions) => {
    await withManager(env, async (manager) => {
      const byokKeys = await manager.list(org);
      print({ byokKeys }, [["reference", "secret"], ...Object.entries(byokKeys)], json);
    });
  });

  addCommand("describe", "shows what may be shown of the keys").action(async ({ org, json = false }: KeyOptions) => {
    await withManager(env, async (manager) => {
      const described = await manager.describe(org);
      const rows = described.map((key) => [
        key.provider,
        key.unopened === null ? key.status : `${key.status} (${key.unopened})`,
        key.hint,
        key.region,
        key.account?.organization ?? null,
        key.account?.project ?? null,
        key.kid,
        key.createdAt,
        key.createdBy,
      ]);
      const head = ["provider", "status", "hint", "region", "organization", "project", "kid", "created", "by"];
      print({ keys: described }, [head, ...rows], json);
    });
  });

  addProviderCommand("set", "stores a key, which it reads from standard input", " < openai-key.txt")
    .option("--region <id>", "the provider's region that the key belongs to")
    .option("--organization <id>", "the provider's organization that the key works for, where it has several")
    .option("--project <id>", "the provider's project that the key works for, where it has several")
    .option("--no-verify", "store it without asking the provider")
    .addOption(createActorOption())
    .action(async ({ org, provider, region, organization, project, actor: by, verify, json = false }: KeyOptions) => {
      const isNamed = organization !== undefined || project !== undefined;
      await withManager(
        env,
        async (manager) => {
          const key = {
            provider,
            apiKey: await readKey(),
            ...(region === undefined ? {} : { region }),
            ...(isNamed ? { account: { organization, project } } : {}),
            ...(by === undefined ? {} : { actor: by }),
          };
          printChange(await manager.set(org, key), json);
        },
        verify === false ? "off" : "reject-invalid",
      );
    });

  addProviderCommand("remove", "removes a key for good")
    .addOption(createActorOption())
    .action(async ({ org, provider, actor: by, json = false }: KeyOptions) => {
      await withManager(env, async (manager) => {
        printChange(await manager.remove(org, { provider, ...(by === undefined ? {} : { actor: by }) }), json);
      });
    });

  addProviderCommand(
    "verify",
    "checks a stored key with its provider; ends with 1 when it is not valid, with 75 when there is no answer",
  ).action(async ({ org, provider, json = false }: KeyOptions) => {
    await withManager(env, async (manager) => {
      const result = await manager.verify(org, provider);
      const { verdict, status, reason = null } = result;
      print(
        toJson(result),
        [
          ["provider", "said", "status", "reason"],
          [provider, verdict, status, reason],
        ],
        json,
      );
      if (verdict === "invalid") process.exitCode = exitCodes.failed;
      if (verdict === "unreachable") process.exitCode = exitCodes.tryAgain;
    });
  });
}

/** What the provider said goes by the API's name for it. */
function toJson<T extends { readonly verdict: string }>({ verdict, ...rest }: T): object {
  return { ...rest, verification: verdict };
}

async function withManager(
  env: Environment,
  work: (manager: KeyManager) => Promise<void>,
  verify: "reject-invalid" | "off" = "reject-invalid",
): Promise<void> {
  await using deployment = await openDeployment(env, { verify });
  await work(deployment.manager);
}

function printChange(change: KeyChange, isJson: boolean): void {
  const { seq, verdict, published, effectiveWithinMs } = change;
  const facts = [String(seq), verdict, published ? "yes" : "no", `${effectiveWithinMs} ms`];
  print(toJson(change), [["change", "provider said", "workers told", "effective within"], facts], isJson);
}
