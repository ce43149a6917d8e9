import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { toPostgresError } from "../../../src/store/postgres/postgres-failure.ts";
import { postgresStore } from "../../../src/store/postgres/postgres-store.ts";

const role = `nobody_${randomUUID().slice(0, 8)}`;
const admin = new pg.Pool({ connectionString: inject("postgresUrl"), max: 1 });

beforeAll(async () => void (await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; CREATE SCHEMA ${role}`)));
afterAll(async () => {
  await admin.query(`DROP SCHEMA ${role}; DROP ROLE ${role}`);
  await admin.end();
});

const saidOf = async (edit: Partial<URL>, schema?: string): Promise<unknown> => {
  const url = new URL(inject("postgresUrl"));
  Object.assign(url, edit);
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });
  pool.on("error", () => {});
  const store = postgresStore({ pool, timeoutMs: 10_000, ...(schema === undefined ? {} : { schema }) });
  try {
    return await store.migrate().catch((error: unknown) => error);
  } finally {
    await store.close();
    await pool.end();
  }
};

it.each([
  ["an unknown database", { pathname: "/nowhere" }, undefined, "no database of that name"],
  ["an unknown user", { username: "nobody_here" }, undefined, "refuses the (?:user|password)"],
  ["a server without TLS, where some is demanded,", { search: "?sslmode=verify-full" }, undefined, "has no TLS"],
  ["a role without rights", { username: role, password: "secret" }, role, "refuses the role a right"],
])("%s is named, and no waiting mends it", async (_what, edit, schema, said) => {
  expect(await saidOf(edit, schema)).toMatchObject({
    code: "store_unavailable",
    retryable: false,
    message: expect.stringMatching(new RegExp(said, "u")),
  });
});

it("a URL that is malformed is named, and shows nothing of its password", async () => {
  const pool = new pg.Pool({ connectionString: "postgres://user:plan#ted@127.0.0.1:1/db", max: 1 });
  const error = await postgresStore({ pool })
    .poll({ windowMs: 0 })
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "store_unavailable",
    retryable: false,
    message: expect.stringContaining("malformed"),
  });
  expect(String(error)).not.toMatch(/plan|ted@/u);
  await pool.end();
});

it.each([
  [Object.assign(new Error("x"), { code: "28P01" }), "password", false],
  [Object.assign(new Error("x"), { code: "SELF_SIGNED_CERT_IN_CHAIN" }), "not trusted", false],
  [Object.assign(new Error("x"), { code: "CERT_NOT_YET_VALID" }), "not trusted", false],
  [Object.assign(new Error("x"), { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }), "not trusted", false],
  [Object.assign(new Error("x"), { code: "ERR_SSL_WRONG_VERSION_NUMBER" }), "does not agree on TLS", false],
  [new Error("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string"), "asks for a password", false],
  [new Error("There was an error establishing an SSL connection"), "is no Postgres", false],
  [
    Object.assign(new Error('no pg_hba.conf entry for host "h", no encryption'), { code: "28000" }),
    "without TLS",
    false,
  ],
  [Object.assign(new Error("x"), { code: "28000" }), "refuses the user", false],
  [Object.assign(new Error("no encryption"), { code: "40001" }), "40001", true],
  [Object.assign(new Error("x"), { code: "ENOTFOUND" }), "no name server knows", true],
  [Object.assign(new Error("x"), { code: "EAI_AGAIN" }), "EAI_AGAIN", true],
  [Object.assign(new Error("x"), { code: "53300" }), "53300", true],
  [Object.assign(new Error("x"), { code: "ECONNREFUSED" }), "ECONNREFUSED", true],
])("%s is said as such (%s)", (error, said, retryable) => {
  expect(toPostgresError(error)).toMatchObject({ retryable, message: expect.stringContaining(said) });
});
