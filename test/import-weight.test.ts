import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useBuiltPackage } from "./support/built-package.ts";

const entries = ["index", "shared-cache/redis-cache", "store/sqlite/sqlite-store"];

interface Weight {
  readonly files: readonly string[];
  readonly builtins: readonly string[];
}

const built = useBuiltPackage();

/** What a process loads that imports one entry and nothing else. */
function weigh(entry: string): Weight {
  const text = `
    import { registerHooks } from "node:module";
    const files = [];
    const before = new Set(process.moduleLoadList);
    registerHooks({ load: (url, context, next) => (files.push(url), next(url, context)) });
    await import(${JSON.stringify(join(built(), `${entry}.js`))});
    const builtins = process.moduleLoadList.filter((name) => !before.has(name));
    console.log(JSON.stringify({ files: files.filter((url) => url.startsWith("file:")), builtins }));`;
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", text], { cwd: tmpdir(), encoding: "utf8" }),
  );
}

describe.each(entries)("importing byokit's %s", (entry) => {
  it("loads a few files, and of other packages lru-cache alone", () => {
    const { files } = weigh(entry);
    expect(files.length).toBeLessThanOrEqual(6);
    expect(files.filter((url) => !url.includes(".built-")).every((url) => url.includes("lru-cache"))).toBe(true);
  });

  it("loads nothing of Node's network, no fetch, and no cryptography", () => {
    const { builtins } = weigh(entry);
    const heavy = /NativeModule (?:_?https?|_?tls|net|http2|_http|internal\/deps\/undici|(?:internal\/)?crypto)/u;
    expect(builtins.filter((name) => heavy.test(name))).toEqual([]);
  });
});
