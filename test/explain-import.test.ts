import { describe, expect, it } from "vitest";
import { explainImport } from "../src/explain-import.ts";

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
