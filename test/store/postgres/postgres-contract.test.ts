import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, describe, inject, it } from "vitest";
import { keyStoreContract } from "../../../src/testing/key-store-contract.ts";
import type { OpenedKeyStore } from "../../../src/testing/opened-key-store.ts";
import { type OpenedWay, openPostgresWay, postgresWay } from "../../support/postgres-way.ts";

const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 2 });
const ways: OpenedWay[] = [];
const databases: string[] = [];

const newDatabase = async (template?: string): Promise<string> => {
  const name = `byokit_${randomUUID().replaceAll("-", "")}`;
  await admin.query(`CREATE DATABASE ${name}${template === undefined ? "" : ` TEMPLATE ${template}`}`);
  databases.push(name);
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${name}`;
  return url.href;
};
const openWay = async (url: string): Promise<OpenedWay> => {
  const way = await openPostgresWay(url);
  ways.push(way);
  return way;
};

afterAll(async () => {
  for (const way of ways) await way[Symbol.asyncDispose]();
  for (const name of databases) await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.end();
});

interface Opened extends OpenedKeyStore {
  readonly url: string;
  readonly schema: string;
}

/** A backup copies a database that nobody is connected to: a pooler is, and roles are of the whole server. */
const copies = {
  async backup({ url }: Opened) {
    const name = new URL(url).pathname.slice(1);
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
      [name],
    );
    const copy = await openWay(await newDatabase(name));
    return async () => copy.open({ timeoutMs: 10_000 });
  },
};

describe(`a store in Postgres, reached in the way "${postgresWay}"`, () => {
  keyStoreContract<Opened>(
    it,
    async () => {
      const url = await newDatabase();
      const way = await openWay(url);
      const open = (timeoutMs: number) => way.open({ timeoutMs });
      return { url, schema: way.schema, store: open(2_000), again: async () => open(10_000) };
    },
    {
      async stopWriter({ url, schema }) {
        const stopped = new pg.Client({ connectionString: url });
        await stopped.connect();
        await stopped.query(`BEGIN; UPDATE ${schema}.byok_clock SET seq = seq + 1`);
        return () => stopped.end();
      },
      ...(postgresWay === "direct" ? copies : {}),
    },
  );
});
