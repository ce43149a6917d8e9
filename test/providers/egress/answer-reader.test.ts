import { describe, expect, it } from "vitest";
import { AnswerReader } from "../../../src/providers/egress/answer-reader.ts";

const read = (pieces: readonly string[]): AnswerReader => {
  const reader = new AnswerReader();
  for (const piece of pieces) reader.add(Buffer.from(piece, "latin1"));
  return reader;
};
const refused = "HTTP/1.1 401 No\r\n";

describe("an answer that is read beside whoever it is for", () => {
  it.each([
    ["with its length", `${refused}Content-Length: 2\r\n\r\n{}`, "{}"],
    ["in chunks", `${refused}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n`, "{}"],
    ["in no chunks", `${refused}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`, ""],
    ["after an announcement", `HTTP/1.1 103 Soon\r\nlink: x\r\n\r\n${refused}content-length: 2\r\n\r\n{}`, "{}"],
    ["of no length", `${refused}content-length: 0\r\n\r\n`, ""],
  ])("%s is whole when it is, wherever the network cuts it", (_how, answer, text) => {
    for (const pieces of [[answer], [...answer]]) {
      const reader = read(pieces);
      expect([reader.isWhole, reader.toAnswer().status, reader.toAnswer().text]).toEqual([true, 401, text]);
      expect(read(pieces.length === 1 ? [answer.slice(0, -1)] : pieces.slice(0, -1)).isWhole).toBe(false);
    }
  });

  it("announcements without an end are as much as is read", () => {
    const announcement = `HTTP/1.1 103 Soon\r\nlink: ${"x".repeat(1_000)}\r\n\r\n`;
    const reader = read(Array(20).fill(announcement));
    expect([reader.isWhole, reader.status]).toEqual([true, null]);
  });

  it.each([
    ["without an end", `${refused}\r\n{`],
    ["whose head is not whole", refused],
    ["that is announced", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["that opens a socket", "HTTP/1.1 101 Yes\r\n\r\n"],
  ])("%s is not whole", (_how, answer) => {
    expect(read([answer]).isWhole).toBe(false);
  });

  it.each([
    ["a head without an end", `${refused}x: ${"y".repeat(17_000)}`],
    ["a body without an end", `${refused}\r\n${"y".repeat(66_000)}`],
    ["what is not HTTP", "SSH-2.0-OpenSSH"],
    ["what is not HTTP, and has a head", "hello\r\n\r\n"],
  ])("is read no further than %s goes", (_how, answer) => {
    expect(read([...answer]).isWhole).toBe(true);
  });

  it("tells what has come after the head of a socket that opens", () => {
    expect(read(["HTTP/1.1 101 Yes\r\n\r"]).rest).toBeUndefined();
    expect(read(["HTTP/1.1 101 Yes\r\n\r", "\nfra", "me"]).rest?.toString()).toBe("frame");
  });
});
