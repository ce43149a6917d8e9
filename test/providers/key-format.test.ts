import { describe, expect, it } from "vitest";
import { isByokError } from "../../src/errors.ts";
import { generateKeyring } from "../../src/keyring/keyring-json.ts";
import { createKeyring } from "../../src/keyring/local-keyring.ts";
import { builtinProviders } from "../../src/providers/builtin.ts";
import { parseKey } from "../../src/providers/key-format.ts";
import { platformKeysFromEnv } from "../../src/providers/platform-keys.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { parseSettings } from "../../src/resolver/resolver-settings.ts";
import { memoryStore } from "../../src/store/memory-store.ts";

const store = memoryStore();
const keyring = createKeyring(generateKeyring());
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

const good = "sk-proj-0123456789abcdefghij";

/** Families of texts that stand where a key belongs. `$` in them is a key. */
const families: readonly (readonly [name: string, why: RegExp, texts: readonly string[]])[] = [
  [
    "an invisible character",
    /invisible/u,
    ["\ufeff$", "$\u200b", "sk-\u200dproj-abc", "$\u2060", "\u202a$", "sk-\u00adabc"],
  ],
  [
    "a mask",
    /mask/u,
    ["sk-...A1b2", "sk-…A1b2", "****", "********************", "sk-proj-good****ghij", "••••••••A1b2", "●●●●"],
  ],
  ["a mask of x", /mask/u, ["sk-xxxxxxxxxxxx", "XXXXXXXXXXXXXXXX", "sk-xxxx", "xxxx", "re_xxxxxxxxx"]],
  ["one character", /repeated/u, ["--------", "00000000000000000000", "aaaaaaaaaa"]],
  ["a beginning", /beginning/u, ["sk-", "sk-proj-", "re_", "xai-", "SK-"]],
  ["an encoded text", /encoded/u, ["$%0A", "sk%2Dproj", "$%3D"]],
  ["a printed object", /prints for an object/u, ["[object Object]", "[object Promise]", "[object Undefined]"]],
  ["a text taken out", /taken out/u, ["[redacted]", "REDACTED", "<hidden>", "[key removed]", "(masked)", "[secret]"]],
  [
    "nothing",
    /for nothing/u,
    ["null", "undefined", "None", "NaN", "true", "false", "(null)", "nil", "sk-undefined", "N/A", "NULL"],
  ],
  ["JSON", /JSON/u, ['{"api_key":"$"}', '["$"]', "{}", '{ "key": 1 }', "[]"]],
  [
    "a header",
    /header, name included/u,
    ["Authorization: Bearer $", "authorization:$", "xi-api-key: $", "X-API-Key: $"],
  ],
  ["a bearer", /"Bearer"/u, ["Bearer $", "bearer $", "Bearer$", "BEARER:$", "Bearer"]],
  ["a scheme", /"Token"/u, ["Token $", "token $", "Token:$", "Basic dXNlcjpwYXNz"]],
  [
    "a URL",
    /URL/u,
    ["https://api.openai.com/v1", "api.deepgram.com", "www.x.ai", "op://vault/openai/key", "redis://:pw@h:1/0"],
  ],
  [
    "a reference",
    /refers to/u,
    ["\u0024{OPENAI_API_KEY}", "$OPENAI_API_KEY", "%OPENAI_API_KEY%", "%DEEPGRAM_API_KEY%", "$(cat key)", "{{ key }}"],
  ],
  [
    "a reference of a program",
    /refers to/u,
    ["process.env.OPENAI_API_KEY", 'os.environ["KEY"]', "{{key}}", "\u0024{{secrets.KEY}}"],
  ],
  [
    "an assignment",
    /assignment/u,
    ["OPENAI_API_KEY=$", "export OPENAI_API_KEY=$", "set KEY=$", "api_key: $", "KEY = $"],
  ],
  [
    "a variable's name",
    /name of a variable/u,
    ["OPENAI_API_KEY", "ELEVEN_API_KEY", "__XAI_API_KEY__", "DEEPGRAM_TOKEN"],
  ],
  ["angle brackets", /angle brackets/u, ["<your-api-key>", "<OPENAI_KEY>", "sk-<id>", "<$>"]],
  [
    "a placeholder",
    /placeholder/u,
    [
      "your_api_key_here",
      "YOUR_API_KEY",
      "sk-your-api-key",
      "sk-your-key",
      "yourApiKey",
      "changeme",
      "my-api-key",
      "api-key",
    ],
  ],
  [
    "a placeholder of ours",
    /placeholder/u,
    ["byokit-placeholder-5f0c3f3e-6d6a-4d0e-9d7e-0f6f0e9c1d2b", "key-placeholder"],
  ],
  ["quotation marks", /quotation/u, ['"$"', "'$'", "`$`", "“$”", '$"', "‘$’"]],
  ["a backslash", /backslash/u, ["$\\n", "$\\r\\n", "sk\\-proj"]],
  ["a comma", /comma/u, ["$,", "$;", "$,$"]],
  ["brackets", /brackets/u, ["[$]", "($)", "$}", "($", "$)"]],
];

/** Random keys as vendors issue them, of a seed. */
const issued = (count: number): readonly (readonly [id: string, text: string])[] => {
  let seed = 20_261_126;
  const pick = (letters: string, length: number): string =>
    Array.from({ length }, () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return letters[Math.floor((seed / 4_294_967_296) * letters.length)];
    }).join("");
  const digits = "0123456789";
  const hex = `${digits}abcdef`;
  const letters = `${digits}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ`;
  return Array.from({ length: count }).flatMap(() => [
    ["openai", `sk-${pick(letters, 48)}`],
    ["openai", `sk-proj-${pick(`${letters}-_`, 148)}`],
    ["openai", `sk-svcacct-${pick(`${letters}-_`, 148)}`],
    ["deepgram", pick(hex, 40)],
    ["deepgram", `eyJ${pick(`${letters}-_`, 80)}.eyJ${pick(`${letters}-_`, 120)}.${pick(`${letters}-_`, 43)}`],
    ["elevenlabs", `sk_${pick(hex, 48)}`],
    ["elevenlabs", pick(hex, 32)],
    ["xai", `xai-${pick(letters, 80)}`],
    ["resend", `re_${pick(letters, 8)}_${pick(letters, 24)}`],
    ["openai", `${pick(`${letters}+/`, 43)}=`],
    ["openai", `${pick(hex, 8)}-${pick(hex, 4)}:${pick(hex, 32)}`],
  ]);
};

describe("a text", () => {
  it.each([
    ["", /empty/u],
    ["  \n", /empty/u],
    [undefined, /empty/u],
    ["k".repeat(513), /longer than 512/u],
    ["key with blanks", /printable ASCII/u],
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
    ["openai", "ghp_is_another_vendors", /GitHub/u],
    ["resend", "sk_live_is_another_vendors", /Stripe/u],
    ["deepgram", "gsk_is_another_vendors", /Groq/u],
    ["elevenlabs", "AIzaSyIsAnotherVendors", /Google/u],
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
    ["openai", "gsk_of_a_gateway"],
  ])("of %s like %s is taken: formats are no contract", (id, text) => {
    expect(findRefusal(id, text)).toBe("taken");
  });

  it.each(
    families,
  )("that is %s is nobody's key, whichever provider is named, and is not repeated", (_name, why, texts) => {
    for (const text of texts.map((one) => one.replaceAll(/\$(?![A-Z{(e])/gu, good))) {
      for (const { id } of providers) {
        const said = findRefusal(id, `  ${text}\n`);
        expect(said, text).toMatch(why);
        if (text.length > 8) expect(said).not.toContain(text);
        expect(said).not.toContain(good);
      }
    }
  });

  it.each(families)("that is %s is no key of the platform's, in options or in the environment", (_name, why, texts) => {
    for (const text of texts.map((one) => one.replaceAll(/\$(?![A-Z{(e])/gu, good))) {
      const malformed = expect.objectContaining({ code: "key_malformed", message: expect.stringMatching(why) });
      expect(() => parseSettings({ store, keyring, platformKeys: { openai: text } } as never, providers), text).toThrow(
        malformed,
      );
      expect(() => platformKeysFromEnv({ OPENAI_API_KEY: text }), text).toThrow(malformed);
      expect(() => platformKeysFromEnv({ OPENAI_API_KEY: text })).toThrow(/OPENAI_API_KEY: /u);
    }
  });

  it("of the form that a vendor issues is never refused", () => {
    for (const [id, text] of issued(2_000)) expect(findRefusal(id, text), text).toBe("taken");
  });

  it("is trimmed", () => {
    expect(parseKey(find("openai"), "\t key-0123 \r\n", providers).reveal()).toBe("key-0123");
  });
});
