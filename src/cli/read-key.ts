import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { ByokError } from "../errors.ts";

/** The most that is read, in characters; a key has at most 512. */
const maxLength = 4_096;

/** Reads a key from standard input, up to its end or, at a terminal, up to Enter and without showing what is typed. */
export async function readKey(input: NodeJS.ReadStream = process.stdin): Promise<string> {
  return input.isTTY ? await readTyped(input) : await readPiped(input);
}

async function readPiped(input: NodeJS.ReadStream): Promise<string> {
  let text = "";
  for await (const chunk of input.setEncoding("utf8")) {
    text += chunk;
    if (text.length > maxLength) throw new ByokError("key_malformed", "The key is too long. Check what was piped in.");
  }
  return text;
}

async function readTyped(input: NodeJS.ReadStream): Promise<string> {
  process.stderr.write("Key (not shown): ");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  const cancelled = Promise.withResolvers<never>();
  const cancel = (): void => cancelled.reject(new ByokError("key_malformed", "No key was entered. Nothing is stored."));
  lines.once("SIGINT", cancel);
  lines.once("close", cancel);
  const line = new Promise<string>((resolve) => lines.once("line", resolve));
  try {
    return await Promise.race([line, cancelled.promise]);
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
