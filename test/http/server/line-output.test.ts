import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { LineOutput } from "../../../src/http/server/line-output.ts";

/** A stream whose reader reads when it is told to. */
const stalled = () => {
  const taken: string[] = [];
  let next: (() => void) | undefined;
  let isReading = false;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      taken.push(String(chunk));
      if (isReading) done();
      else next = done;
    },
  });
  const read = (): void => {
    isReading = true;
    next?.();
  };
  return { stream, taken, read };
};
const line = `${"x".repeat(1_023)}\n`;
const failing = (code: string) => {
  const tried: string[] = [];
  const stream = new Writable({
    autoDestroy: false,
    write(chunk, _encoding, done) {
      tried.push(String(chunk));
      done(Object.assign(new Error("write failed"), { code }));
    },
  });
  return { tried, stream };
};

it("lines that nobody reads are held up to a bound, then dropped and counted, and that is said when there is room", async () => {
  const { stream, taken, read } = stalled();
  const output = LineOutput.to(stream);
  for (let times = 0; times < 3_000; times += 1) output.write(line);
  expect(stream.writableLength).toBeLessThan(1_100_000);
  expect(await output.flush(1)).toBe(false);
  read();
  expect(await output.flush(20_000)).toBe(true);
  const kept = taken.filter((text) => text === line).length;
  const [told = "{}"] = taken.filter((text) => text.includes("dropped"));
  expect(JSON.parse(told)).toMatchObject({ msg: "log lines dropped", dropped: 3_000 - kept });
  output.write("after\n");
  expect(taken.at(-1)).toBe("after\n");
});

it("a stream whose reader has gone is written to no more, and ends nothing", async () => {
  const { tried, stream } = failing("EPIPE");
  const output = LineOutput.to(stream);
  output.write("one\n");
  await new Promise(setImmediate);
  output.write("two\n");
  expect(tried).toEqual(["one\n"]);
  expect(await output.flush(60_000)).toBe(true);
});

it("has one output for each stream, so that many servers listen to it once", () => {
  const { stream } = stalled();
  for (let times = 0; times < 20; times += 1) LineOutput.to(stream);
  expect(stream.listenerCount("error")).toBe(1);
});
