import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { explainImport } from "../../src/explain-import.ts";
import { createKeyring, createResolver, defineProvider, generateKeyring, memoryStore } from "../../src/index.ts";
import { vendors } from "../support/worker.ts";

const entry = JSON.stringify(join(import.meta.dirname, "../../src/index.ts"));

/** A process without a file handle before it has loaded what sends requests, and then before it has loaded an SDK. */
const program = `
  import { closeSync, openSync } from "node:fs";
  import { createKeyring, createResolver, defineProvider, generateKeyring, memoryStore, openai } from ${entry};
  const plain = defineProvider({
    ...openai, id: "plain", keyPrefixes: [], canary: undefined, load: undefined, realtime: undefined, serves: ["llm"], connect: () => ({}),
  });
  const store = memoryStore();
  await store.migrate();
  const platformKeys = { openai: "platform-openai-0123456789", plain: "platform-plain-0123456789" };
  const resolver = createResolver({ store, keyring: createKeyring(generateKeyring()), platformKeys, providers: [openai, plain] });
  const attempts = {
    ready: () => resolver.ready(),
    plain: () => resolver.client("org-1", "plain"),
    agent: () => resolver.resolve("org-1", { llm_config: { provider: "openai" } }),
    client: () => resolver.client("org-1", "openai"),
  };
  const tell = async (...names) => {
    for (const name of names) {
      const outcome = await attempts[name]().then(() => "done", (error) => ({ ...error, message: error.message }));
      console.log(JSON.stringify([name, outcome]));
    }
  };
  const withoutHandles = async (work) => {
    const held = [];
    try {
      for (;;) held.push(openSync("/dev/null"));
    } catch {}
    await work();
    for (const handle of held) closeSync(handle);
  };
  await withoutHandles(() => tell("ready", "plain"));
  await tell("plain");
  await withoutHandles(() => tell("agent", "client"));
  await tell("ready", "agent", "client");
  await resolver.close();`;

it("a process that may open no more files is told so by a typed error, and goes on once it may", () => {
  const shell = ["-c", 'ulimit -n 64 && exec "$@"', "sh", process.execPath, "--input-type=module", "--eval", program];
  const lines = execFileSync("sh", shell, { encoding: "utf8" }).trim().split("\n");
  const failure = {
    name: "ByokError",
    code: "import_failed",
    retryable: true,
    message: expect.stringMatching(/\((?:EMFILE: \/.*|ERR_INVALID_PACKAGE_CONFIG)\)\. Raise the limit of files/u),
  };
  const ofSlot = { ...failure, orgId: "org-1", provider: "openai", slot: "llm" };
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    ["ready", failure],
    ["plain", failure],
    ["plain", "done"],
    ["agent", expect.objectContaining(ofSlot)],
    ["client", expect.objectContaining(ofSlot)],
    ["ready", "done"],
    ["agent", "done"],
    ["client", "done"],
  ]);
});

it("an SDK that a process could not read fails its slot, and the next call imports it again", async () => {
  const failures = [Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE", syscall: "open" })];
  const late = defineProvider({
    ...vendors[0],
    load: async () => {
      for (const failure of failures.splice(0)) throw explainImport(failure, "ada", "ada@1");
    },
  });
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  await using resolver = createResolver({ store, keyring, providers: [late], platformKeys: { ada: "platform-ada" } });
  await expect(resolver.client("org-1", "ada", { slot: "stt" })).rejects.toMatchObject({
    code: "import_failed",
    retryable: true,
    orgId: "org-1",
    failures: [{ slot: "stt", provider: "ada", code: "import_failed" }],
  });
  expect((await resolver.client("org-1", "ada", { slot: "stt" })).source).toBe("platform");
});

it("an SDK that a process may not read fails the call for good, and says whose and for which slot", async () => {
  const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES", syscall: "open" });
  const unreadable = defineProvider({
    ...vendors[0],
    load: async () => {
      throw explainImport(denied, "ada", "ada@1");
    },
  });
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const platformKeys = { ada: "platform-ada" };
  await using resolver = createResolver({ store, keyring, providers: [unreadable], platformKeys });
  await expect(resolver.resolve("org-1", { stt_config: { provider: "ada" } })).rejects.toMatchObject({
    code: "import_failed",
    retryable: false,
    orgId: "org-1",
    provider: "ada",
    slot: "stt",
  });
});
