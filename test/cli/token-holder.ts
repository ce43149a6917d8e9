import { createHash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { addToken, changeTokens } from "../../src/cli/token-file.ts";

/**
 * A process that changes a file of tokens. `hold <file> <name>` says "held" while it changes it, and waits for a byte;
 * `add <file> <name>` says "ready", and adds three for every byte that it gets, which it then says again.
 */
const [task, file = "", name = ""] = process.argv.slice(2);
const tokenOf = (actor: string) => ({
  sha256: createHash("sha256").update(actor).digest("hex"),
  orgId: "acme",
  actor,
  canWrite: true,
});
/** Whether it goes on: a byte has come, and not the end. */
const pause = (said: string): boolean => {
  writeSync(1, said);
  return readSync(0, Buffer.alloc(1)) === 1;
};

if (task === "hold") {
  changeTokens(file, (tokens) => {
    pause("held");
    return [...tokens, tokenOf(name)];
  });
} else {
  for (let round = 0; pause("ready"); round += 1) {
    for (const at of [0, 1, 2]) addToken(file, tokenOf(`${name}-${round}-${at}`));
  }
}
