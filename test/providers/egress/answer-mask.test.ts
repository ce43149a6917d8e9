import { describe, expect, it } from "vitest";
import { AnswerMask } from "../../../src/providers/egress/answer-mask.ts";
import { Secret } from "../../../src/secret.ts";

const key = "customer-key-customer-key-0123";
const text = `a ${key}, ${key}${key} and customer-key-customer-key-customer-key-0123 and customer-key-`;

/** `text` as it is passed on in chunks: everything else as it was, of a key at most the first seven characters. */
const passed = (size: number): string => {
  const mask = new AnswerMask(new Secret(key));
  const chunks: Buffer[] = [];
  for (let at = 0; at < text.length; at += size) chunks.push(mask.mask(Buffer.from(text.slice(at, at + size))));
  const shown = Buffer.concat([...chunks, mask.flush()]).toString();
  const hidden = [...text.matchAll(new RegExp(key, "gu"))].flatMap(({ index }) =>
    Array.from({ length: key.length }, (_, offset) => [index + offset, offset] as const),
  );
  const offsets = new Map(hidden);
  return [...shown]
    .map((character, at) => {
      const offset = offsets.get(at);
      const mayPass = offset !== undefined && offset < 7;
      return mayPass && character === key[offset] ? "*" : character;
    })
    .join("");
};

describe("a key that comes back", () => {
  it.each([
    1, 2, 3, 5, 7, 8, 11, 16, 29, 30, 31, 200,
  ])("is masked in chunks of %d bytes, and nothing else is lost or moved", (size) => {
    expect(passed(size)).toBe(text.replaceAll(key, "*".repeat(key.length)));
  });

  it("holds nothing back that only begins like the name of its vendor", () => {
    const mask = new AnswerMask(new Secret(key));
    expect(mask.mask(Buffer.from("a close reason with a cust")).toString()).toBe("a close reason with a cust");
  });

  it("of three characters is masked nowhere: it stands in half of what is ever said", () => {
    expect(new AnswerMask(new Secret("the")).mask(Buffer.from("the voice")).toString()).toBe("the voice");
  });
});
