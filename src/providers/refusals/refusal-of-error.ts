import { byokErrorOf } from "../../byok-error-of.ts";
import { judgeKey } from "./judge-key.ts";
import { type Refusal, type RefusalTable, toProviderAnswer } from "./refusal.ts";

/** How `ws` tells of a handshake that was refused: by the status alone. */
const handshake = /^Unexpected server response: (?<status>4\d\d)$/u;

/**
 * What a provider says of a key, by the error that an SDK or a framework made of its answer: the status under the names that
 * they use, the body as an object or a text. `undefined`: it does not refuse the key, or byokit has met that itself.
 */
export function refusalOfError(table: RefusalTable | undefined, error: unknown): Refusal | undefined {
  if (typeof error !== "object" || error === null || byokErrorOf(error) !== undefined) return undefined;
  const said = [read(error, "status"), read(error, "statusCode"), handshake.exec(String(read(error, "message")))?.[1]];
  const status = said.map(Number).find((number) => number >= 400 && number < 500);
  return status === undefined ? undefined : judgeKey(table, toProviderAnswer(status, readBody(error)));
}

function readBody(error: object): string {
  for (const name of ["responseBody", "body", "data"]) {
    const value = read(error, name);
    if (typeof value === "string") return value;
    if (typeof value === "object" && value !== null) return toText(value);
  }
  // OpenAI's SDK keeps the member of that name alone.
  const inner = read(error, "error");
  return typeof inner === "object" && inner !== null ? toText({ error: inner }) : "";
}

function toText(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}

function read(error: object, name: string): unknown {
  try {
    return Reflect.get(error, name);
  } catch {
    return undefined;
  }
}
