import { describe, expect, it } from "vitest";
import { ByokError } from "../src/errors.ts";
import { explainImport, importOwn } from "../src/explain-import.ts";

const failure = (message: string, code?: string): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

describe("an import that found no package", () => {
  it.each([
    ["Node", failure("Cannot find package 'ws' imported from /app/node_modules/openai/x.mjs", "ERR_MODULE_NOT_FOUND")],
    ["Node, required", failure("Cannot find module 'ws'\nRequire stack:\n- /app/x.js", "MODULE_NOT_FOUND")],
    [
      "Node, a file of it",
      failure("Cannot find package 'ws/lib/x.js' imported from /app/x.mjs", "ERR_MODULE_NOT_FOUND"),
    ],
    ["Bun", { message: 'Cannot find package "ws" from "/app/x.mjs"', code: "ERR_MODULE_NOT_FOUND" }],
    ["Vite", failure('Could not resolve "ws" imported by "byokit". Is it installed?')],
  ])("names it, as %s says", (_who, error) => {
    expect(explainImport(error, "xai", "openai@7 ws@8")).toMatchObject({
      code: "sdk_missing",
      provider: "xai",
      message: '"xai" needs ws, which is not installed. Run: npm install ws@8',
    });
  });

  it("names one that the SDK needs itself, and all where no name is said", () => {
    const own = failure("Cannot find package '@scope/dependency' imported from /app/x.mjs", "ERR_MODULE_NOT_FOUND");
    expect(explainImport(own, "xai", "openai@7 ws@8")).toMatchObject({
      message: '"xai" needs @scope/dependency, which is not installed. Run: npm install @scope/dependency',
    });
    expect(explainImport(failure("", "MODULE_NOT_FOUND"), "xai", "openai@7 ws@8")).toMatchObject({
      message: '"xai" needs a package, which is not installed. Run: npm install openai@7 ws@8',
    });
  });
});

it.each([
  ["a subpath", failure("Package subpath './realtime/ws' is not defined", "ERR_PACKAGE_PATH_NOT_EXPORTED")],
  [
    "a file",
    failure(
      "Cannot find module '/app/node_modules/openai/realtime/ws.mjs' imported from /app/x",
      "ERR_MODULE_NOT_FOUND",
    ),
  ],
])("an import of a version that lacks %s is sdk_unsupported", (_what, error) => {
  expect(explainImport(error, "xai", "openai@7 ws@8")).toMatchObject({ code: "sdk_unsupported", provider: "xai" });
});

it("an import that failed otherwise stays as it is", () => {
  const error = new TypeError("Class extends value undefined");
  expect(explainImport(error, "xai", "openai@7 ws@8")).toBe(error);
  expect(explainImport(undefined, "xai", "openai@7 ws@8")).toBeUndefined();
});

const noHandle = Object.assign(failure("EMFILE: too many open files, open '/app/x.mjs'", "EMFILE"), {
  syscall: "open",
});

const noManifest = failure(
  "Cannot read package config /app/package.json: too many open files.",
  "ERR_INVALID_PACKAGE_CONFIG",
);

it.each([
  ["a module", noHandle, "EMFILE"],
  ["a manifest", noManifest, "ERR_INVALID_PACKAGE_CONFIG"],
])("an import of a file that the process could not read (%s) is import_failed", (_what, error, code) => {
  expect(explainImport(error, "xai", "openai@7 ws@8")).toMatchObject({
    code: "import_failed",
    provider: "xai",
    retryable: true,
    message: expect.stringContaining(`of "xai" could not be loaded (${code}). Raise the limit`),
  });
});

it("an import of a file that the process may not read says which, and is not tried again", () => {
  const denied = Object.assign(failure("EACCES: permission denied, open '/app/x.mjs'", "EACCES"), {
    syscall: "open",
    path: "/app/x.mjs",
  });
  expect(explainImport(denied, "xai", "openai@7 ws@8")).toMatchObject({
    code: "import_failed",
    retryable: false,
    message:
      'A file of "xai" could not be loaded (EACCES: /app/x.mjs). Deploy it with all of its files, let the process read them, and restart it.',
  });
});

describe("a file of byokit's own that cannot be loaded", () => {
  const importWith = (error: unknown): Promise<unknown> => importOwn(() => Promise.reject(error)).catch((one) => one);

  it("is import_failed, which may be tried again where the process could not read it", async () => {
    expect(await importWith(noHandle)).toMatchObject({
      code: "import_failed",
      retryable: true,
      message: expect.stringMatching(/\(EMFILE\)\. Raise the limit/u),
    });
  });

  it.each([
    [
      "that is not there",
      failure("Cannot find module '/app/x.mjs'", "ERR_MODULE_NOT_FOUND"),
      " (ERR_MODULE_NOT_FOUND)",
    ],
    ["of another text", new SyntaxError("Unexpected token"), ""],
    ["with a code that is no word", failure("planted", "planted text"), ""],
  ])("is import_failed for good, %s", async (_what, error, why) => {
    expect(await importWith(error)).toMatchObject({
      code: "import_failed",
      retryable: false,
      message: `A file of byokit could not be loaded${why}. Deploy it with all of its files, let the process read them, and restart it.`,
    });
  });

  it("leaves what byokit says of it already as it is", async () => {
    const said = new ByokError("sdk_unsupported", "Install another.");
    expect(await importWith(said)).toBe(said);
    expect(await importOwn(async () => "loaded")).toBe("loaded");
  });
});
