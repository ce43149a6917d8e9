import { inspect, styleText } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { ByokError, isByokError } from "../src/errors.ts";
import * as face from "../src/index.ts";
import { Secret } from "../src/secret.ts";

const key = "planted-key-0123456789-abcd";

describe("a secret", () => {
  it("gives its text to reveal() alone", () => {
    const secret = new Secret(key);
    const shown = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
      inspect(secret, { customInspect: false, showHidden: true }),
      JSON.stringify({ ...secret }),
      JSON.stringify(structuredClone(secret)),
      Object.values(secret).join(),
      styleText("red", `${secret}`),
    ];
    for (const text of shown) expect(text).not.toContain("planted");
    expect(secret.reveal()).toBe(key);
  });

  it("hints at its last four characters, and at nothing of a short one", () => {
    expect(new Secret(key).hint()).toBe("abcd");
    expect(new Secret("x".repeat(20)).hint()).toBe("xxxx");
    expect(new Secret("x".repeat(19)).hint()).toBeNull();
  });
});

describe("an error", () => {
  const failed = (code: "store_unavailable" | "key_undecryptable") =>
    ({ code, slot: "llm", provider: "openai", message: "m" }) as const;

  it("may be tried again when every slot that failed may", () => {
    const retryable = (...codes: Parameters<typeof failed>[0][]) =>
      new ByokError(codes[0] ?? "closed", "m", { failures: codes.map(failed) }).retryable;
    expect(retryable("store_unavailable")).toBe(true);
    expect(retryable("store_unavailable", "key_undecryptable")).toBe(false);
    expect(new ByokError("deadline_exceeded", "m").retryable).toBe(true);
    expect(new ByokError("sdk_missing", "m").retryable).toBe(false);
  });

  it("has no details but those it was given, and no cause", () => {
    expect(Object.keys(new ByokError("closed", "m"))).toEqual(["name", "code", "retryable"]);
    expect(new ByokError("closed", "m", { orgId: "org" })).toMatchObject({ orgId: "org", name: "ByokError" });
    expect(new ByokError("closed", "m")).not.toHaveProperty("cause");
  });

  it("is known across copies of the package, and nothing else is taken for one", async () => {
    vi.resetModules();
    const copy = await import("../src/errors.ts");
    expect(copy.ByokError).not.toBe(ByokError);
    expect(isByokError(new copy.ByokError("closed", "m"))).toBe(true);
    for (const other of [new Error("m"), { code: "closed" }, null, undefined, "closed"]) {
      expect(isByokError(other)).toBe(false);
    }
  });
});

it("the public face exports these values and no more", () => {
  expect(Object.keys(face).sort()).toEqual([
    "ByokError",
    "Secret",
    "builtinProviders",
    "byokErrorOf",
    "createKeyManager",
    "createKeyring",
    "createResolver",
    "deepgram",
    "defineProvider",
    "elevenlabs",
    "generateKeyring",
    "isByokError",
    "memoryStore",
    "openai",
    "parseAgent",
    "platformKeysFromEnv",
    "resend",
    "withCatalogue",
    "xai",
  ]);
});
