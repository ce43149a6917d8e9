import { ByokError } from "../errors.ts";
import type { Environment } from "./environment.ts";
import { readServerUrl } from "./read-server-url.ts";
import { readSetting } from "./read-setting.ts";

/** The database that a command works on. */
export type Database =
  | { readonly kind: "postgres"; readonly url: string }
  | { readonly kind: "sqlite"; readonly path: string };

const example = "postgres://user:password@host:5432/database";

/**
 * The database that BYOK_DATABASE_URL names. None is assumed: where the variable was lost, a command would work on an empty
 * database beside the one that was meant.
 *
 * @throws ByokError `options_invalid`
 */
export function readDatabase(env: Environment): Database {
  const given = readSetting(env, "BYOK_DATABASE_URL");
  if (given === undefined) throw isLost(env);
  if (/^postgres(?:ql)?:/iu.test(given)) {
    readServerUrl("BYOK_DATABASE_URL", given, { scheme: /^postgres/iu, example });
    return { kind: "postgres", url: given };
  }
  if (!isMangledUrl(given)) return { kind: "sqlite", path: given };
  const next = `Write a Postgres as ${example}, and a file as ./byok.sqlite`;
  throw new ByokError("options_invalid", `BYOK_DATABASE_URL is neither postgres://… nor a path. ${next}`);
}

/** Another scheme, a host with a port, a user with a password, `key=value`: no file is called that. */
function isMangledUrl(given: string): boolean {
  return /^[\w+.-]{2,}:|^postgres(?:ql)?\/\/|:[^/]*@|^[a-z_]+\s*=|^[$%<:]/iu.test(given);
}

/** The others that are set tell a variable that was lost or misspelt from an environment that never came. */
function isLost(env: Environment): ByokError {
  const others = Object.entries(env).filter(
    ([name, value]) => /^BYOK_(?!DATABASE_URL$)[A-Z_]{1,32}$/u.test(name) && value,
  );
  const names = others.map(([name]) => name).sort();
  const beside = names.length === 0 ? "" : ` These are set: ${names.join(", ")}.`;
  const next = `Name the database: BYOK_DATABASE_URL=${example}, or BYOK_DATABASE_URL=./byok.sqlite for a file.`;
  return new ByokError("options_invalid", `BYOK_DATABASE_URL is not set, or empty.${beside} ${next}`);
}
