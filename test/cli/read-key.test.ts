import { PassThrough } from "node:stream";
import { expect, it, vi } from "vitest";
import { readKey } from "../../src/cli/read-key.ts";

/** A terminal as far as reading from one goes. */
const terminal = () => Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });

it("a key that is typed at a terminal is read up to Enter, and nothing of it is shown", async () => {
  const shown: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((chunk) => shown.push(String(chunk)) > 0),
  );
  const input = terminal();
  const reading = readKey(input as never);
  input.write("own-kez\u007fy\r");
  const key = await reading;
  for (const spy of spies) spy.mockRestore();
  expect(key).toBe("own-key");
  expect(shown.join("")).toBe("Key (not shown): \n");
});

it("a key that has no end is given up", async () => {
  const input = new PassThrough();
  const reading = readKey(input as never);
  input.write("x".repeat(10_000));
  await expect(reading).rejects.toMatchObject({ code: "key_malformed" });
});

it("a key that is given up with Control-C is none", async () => {
  const spy = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const input = terminal();
  const reading = readKey(input as never);
  input.write("own-\u0003");
  await expect(reading).rejects.toMatchObject({ code: "key_malformed" });
  const ended = terminal();
  const readingOn = readKey(ended as never);
  ended.end();
  await expect(readingOn).rejects.toMatchObject({ code: "key_malformed" });
  spy.mockRestore();
});
