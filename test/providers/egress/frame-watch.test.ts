import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtinProviders } from "../../../src/providers/builtin.ts";
import { FrameWatch } from "../../../src/providers/egress/frame-watch.ts";
import type { RefusalTable } from "../../../src/providers/refusals/refusal.ts";
import { serving } from "../../support/egress.ts";
import { closeFrame, serverFrame, textFrame } from "../../support/raw-server.ts";
import { hearRefusals, switchedSupply, type ToldOfKeys } from "../../support/switched-supply.ts";

interface Row {
  readonly id: string;
  readonly name: string;
  /** A string is the reason of a close. */
  readonly said: unknown;
  readonly kind?: string;
  readonly reason?: string;
}

const rows: readonly Row[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../fixtures/refusals/in-band.json"), "utf8"),
);
const refusal = JSON.stringify({ error: { type: "x", code: "insufficient_quota", message: "No." } });
const tableOf = (id: string): RefusalTable | undefined => builtinProviders.find((one) => one.id === id)?.refusals;

const watch = (refusals = tableOf("openai")): { readonly told: ToldOfKeys; read(...frames: Buffer[]): void } => {
  const key = serving("key-one", "http://127.0.0.1:9");
  const supply = switchedSupply(key);
  const told = hearRefusals(supply, async () => key);
  const frames = new FrameWatch({ supply, serving: key, request: {}, refusals });
  return { told, read: (...all) => all.forEach((frame) => void frames.read(frame)) };
};

const bytesOf = (frame: Buffer): Buffer[] => [...frame].map((_byte, at) => frame.subarray(at, at + 1));

describe("what a provider says on an open socket", () => {
  it.each(rows)("is told where it refuses the key, and else not: $id, $name", ({ id, said, kind, reason }) => {
    const frame = typeof said === "string" ? closeFrame(1_008, said) : textFrame(JSON.stringify(said));
    for (const pieces of [[frame], bytesOf(frame)]) {
      const { told, read } = watch(tableOf(id));
      read(...pieces);
      const refusals = told.refused.map(({ refusal: { kind, reason } }) => ({ kind, reason }));
      expect(refusals).toEqual(kind === undefined ? [] : [{ kind, reason }]);
      expect(told.taken).toHaveLength(kind === undefined && typeof said !== "string" ? 1 : 0);
    }
  });

  it.each([
    [
      "in pieces",
      [serverFrame(1, Buffer.from(refusal.slice(0, 9)), false), serverFrame(0, Buffer.from(refusal.slice(9)))],
    ],
    [
      "with a ping in between",
      [
        serverFrame(1, Buffer.from(refusal.slice(0, 9)), false),
        serverFrame(9, Buffer.from("{")),
        serverFrame(0, Buffer.from(refusal.slice(9))),
      ],
    ],
    ["after empty pieces", [serverFrame(1, Buffer.alloc(0), false), serverFrame(0, Buffer.from(refusal))]],
    ["after audio", [serverFrame(2, Buffer.alloc(70_000)), textFrame(refusal)]],
    ["after a long text", [textFrame(`{"error":"${"x".repeat(70_000)}"}`), textFrame(refusal)]],
    ["after a close that says nothing", [serverFrame(8, Buffer.alloc(0)), textFrame(refusal)]],
  ])("is heard %s", (_how, frames) => {
    const whole = Buffer.concat(frames);
    for (const pieces of [frames, [whole], bytesOf(whole)]) {
      const { told, read } = watch();
      read(...pieces);
      expect(told.refused).toHaveLength(1);
    }
  });

  it("is told once: of a refusal, and of a first message that is none", () => {
    const { told, read } = watch();
    read(serverFrame(9, Buffer.alloc(0)));
    expect(told.taken).toEqual([]);
    read(textFrame('{"type":"session.created"}'), serverFrame(2, Buffer.alloc(9)), textFrame("{}"));
    expect(told.taken).toHaveLength(1);
    read(textFrame(refusal), textFrame(refusal), closeFrame(1_008, "insufficient_quota"));
    expect(told.refused).toHaveLength(1);
  });

  it("is a key that was taken, be it audio first", () => {
    const { told, read } = watch();
    read(serverFrame(2, Buffer.alloc(9)));
    expect(told.taken).toHaveLength(1);
  });

  it("is no refusal where it is longer than any", () => {
    const { told, read } = watch();
    read(textFrame(JSON.stringify({ ...JSON.parse(refusal), more: "x".repeat(17_000) })));
    expect([told.refused.length, told.taken.length]).toEqual([0, 1]);
  });

  it.each<[string, Buffer]>([
    [
      "no JSON",
      textFrame('{"error": exceeded your current quota, exceeds your quota, any credits, insufficient funds'),
    ],
    ["text that is none", textFrame("error: no credits, insufficient_quota")],
    ["JSON without an object", textFrame("[null]")],
    ["deep JSON", textFrame(`{"error":${"[".repeat(8_000)}`)],
    ["no UTF-8", serverFrame(1, Buffer.from([0x7b, 0xff, 0xfe]))],
    ["a frame longer than any", Buffer.from([0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255])],
    ["noise", Buffer.from(Array.from({ length: 4_096 }, (_, at) => (at * 89 + 7) & 0xff))],
    ["what is compressed", Buffer.concat([Buffer.from([0xc1, refusal.length]), Buffer.from(refusal)])],
    ["what is masked", Buffer.concat([Buffer.from([0x81, 0x80 | refusal.length]), Buffer.from(refusal)])],
    ["a long ping", serverFrame(9, Buffer.alloc(126))],
    ["HTML", Buffer.from("<html><body>error</body></html>")],
  ])("and is %s is no refusal, and ends nothing", (_what, bytes) => {
    for (const id of [...builtinProviders.map((one) => one.id as string), "ada"]) {
      const { told, read } = watch(tableOf(id));
      read(...bytesOf(bytes), bytes, bytes);
      expect(told.refused).toEqual([]);
    }
  });

  it("is nothing where a table of anybody's throws", () => {
    const { told, read } = watch({
      known: [],
      read() {
        throw new Error("Not expected.");
      },
    });
    read(textFrame(refusal));
    expect(told.refused).toEqual([]);
  });
});
