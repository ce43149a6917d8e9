import { createHash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { addToken, changeTokens } from "../../src/cli/token-file.ts";

/**
 * A process that changes a file of tokens. `hold <file> <name>` says "held" while it changes it, and waits for a byte;
 * `add <file> <name> <count>` waits for a byte, and adds as many tokens, one after another.
 */
const [task, file = "", name = "", count = "0"] = process.argv.slice(2);
const tokenOf = (actor: string) => ({
  sha256: createHash("sha256").update(actor).digest("hex"),
  orgId: "acme",
  actor,
  canWrite: true,
});
const pause = (said: string): void => {
  writeSync(1, said);
  readSync(0, Buffer.alloc(1));
};

if (task === "hold") {
  changeTokens(file, (tokens) => {
    pause("held");
    return [...tokens, tokenOf(name)];
  });
} else {
  pause("ready");
  for (let at = 0; at < Number(count); at += 1) addToken(file, tokenOf(`${name}-${at}`));
}
