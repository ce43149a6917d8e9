import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Forwarder, forwarder } from "../servers/forwarder.ts";
import { type OwnPostgresServer, ownPostgresServer } from "../servers/postgres-server.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Told } from "./documented-process.ts";

const root = resolve(import.meta.dirname, "../..");
/** Below the root, so that packages are found. */
const folder = mkdtempSync(join(root, "node_modules", ".documented-pool-"));
const program = join(folder, "store.mjs");
let postgres: OwnPostgresServer;
let network: Forwarder;

/** The documented worker in a process of its own, on a database behind a network that a test can silence. */
const startWorker = () => {
  const env = { ...process.env, DATABASE_URL: postgres.url.replace(`:${postgres.port}/`, `:${network.port}/`) };
  const child = fork(join(import.meta.dirname, "documented-process.ts"), [program], {
    env,
    execArgv: [],
    silent: true,
  });
  const told: Told[] = [];
  child.on("message", (message: Told) => told.push(message));
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = `${errors}${text}`.slice(-4_000);
  });
  const lives = (): void => expect(child.exitCode, errors).toBeNull();
  return {
    told,
    errors: () => errors,
    lives,
    /** Ends when calls that began after `sinceMs` have failed. */
    fails: (sinceMs: number) =>
      waitFor(() => {
        lives();
        const failed = told.filter(({ begunAtMs, outcome }) => begunAtMs > sinceMs && outcome !== "ok");
        expect(failed.length).toBeGreaterThan(5);
        for (const { outcome } of failed) expect(["store_unavailable", "deadline_exceeded"]).toContain(outcome);
      }),
    /** Ends when fifty calls in a row that began after `sinceMs` have been served. */
    serves: (sinceMs: number) =>
      waitFor(() => {
        lives();
        const last = told.filter(({ begunAtMs }) => begunAtMs > sinceMs).slice(-50);
        expect(last.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 50 }, () => "ok"));
      }),
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
};

beforeAll(async () => {
  const page = readFileSync(join(root, "docs/scaling.md"), "utf8");
  const [snippet] = /^import \{ postgresStore \} .*?(?=^```$)/msu.exec(page) ?? [""];
  const source = JSON.stringify(join(root, "src/store/postgres/postgres-store.ts"));
  writeFileSync(program, `${snippet.replace('"byokit/postgres"', source)}\nexport { store };\n`);
  postgres = await ownPostgresServer();
  network = await forwarder(postgres.port);
});
afterAll(async () => {
  await network.close();
  await postgres.stop();
  rmSync(folder, { recursive: true });
});

it("the documented worker outlives a restart of Postgres, says so, and serves again", async () => {
  await using worker = startWorker();
  await worker.serves(0);
  await postgres.shutDown();
  await worker.fails(Date.now());
  await waitFor(() => expect(worker.errors()).toContain("connecting_failed"));
  await postgres.start();
  await worker.serves(Date.now());
  expect(worker.errors()).toContain("connecting_recovered");
  expect(worker.told.at(-1)?.warnings).toEqual([]);
}, 90_000);

it("the documented worker comes back after connections fell silent and others were never opened", async () => {
  await using worker = startWorker();
  await worker.serves(0);
  network.fallSilent();
  await worker.fails(Date.now());
  // Until connections that were being opened meanwhile have kept every place of the pool.
  await waitFor(() => expect(worker.errors()).toContain("connecting_failed"));
  network.pass();
  await worker.serves(Date.now());
}, 90_000);

it("the documented worker comes back after the connections that it had were forgotten by the network", async () => {
  await using worker = startWorker();
  await worker.serves(0);
  network.fallSilent();
  network.pass();
  await worker.serves(Date.now());
}, 90_000);
