import { describe, expect, it } from "vitest";
import { isByokError } from "../../src/errors.ts";
import { builtinProviders } from "../../src/providers/builtin.ts";
import { parseKey } from "../../src/providers/key-format.ts";
import type { Provider } from "../../src/providers/provider.ts";

const providers = builtinProviders as readonly Provider[];
const find = (id: string): Provider => {
  const found = providers.find((provider) => provider.id === id);
  if (found === undefined) throw new Error(`There is no ${id}.`);
  return found;
};
const findRefusal = (id: string, text: unknown): string => {
  try {
    parseKey(find(id), text as string, providers);
    return "taken";
  } catch (error) {
    if (isByokError(error) && error.code === "key_malformed") return error.message;
    throw error;
  }
};

describe("a text", () => {
  it.each([
    ["", /empty/u],
    ["  \n", /empty/u],
    [undefined, /empty/u],
    ["k".repeat(513), /longer than 512/u],
    ["key with blanks", /printable ASCII/u],
    ["key\u200bhidden", /printable ASCII/u],
    ["schlüssel", /printable ASCII/u],
    ["line\nbreak", /printable ASCII/u],
  ])("like %j is no key of anybody", (text, why) => {
    for (const { id } of providers) expect(findRefusal(id, text)).toMatch(why);
  });

  it.each([
    ["deepgram", "sk-proj-pasted-into-the-wrong-field", /looks like a key of "openai"/u],
    ["openai", "xai-pasted-into-the-wrong-field", /looks like a key of "xai"/u],
    ["elevenlabs", "re_pasted_into_the_wrong_field", /looks like a key of "resend"/u],
    ["openai", "sk-admin-runs-no-model", /admin key/u],
    ["openai", "sk-ant-is-another-vendors", /Anthropic/u],
  ])("of %s like %s is refused, without repeating it", (id, text, why) => {
    expect(findRefusal(id, text)).toMatch(why);
    expect(findRefusal(id, text)).not.toContain(text);
  });

  it.each([
    ["openai", "sk-proj-0123"],
    ["openai", "any format at all".replaceAll(" ", "-")],
    ["elevenlabs", "sk_0123456789abcdef"],
    ["resend", "0123456789"],
    ["xai", "xai-0123"],
  ])("of %s like %s is taken: formats are no contract", (id, text) => {
    expect(findRefusal(id, text)).toBe("taken");
  });

  it("is trimmed", () => {
    expect(parseKey(find("openai"), "\t key-0123 \r\n", providers).reveal()).toBe("key-0123");
  });
});
