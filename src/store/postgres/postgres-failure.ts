import { ByokError } from "../../errors.ts";
import { driverFailed, noSchema, storeUnavailable } from "../store-unavailable.ts";

/**
 * `undefined_table`, `undefined_column`, `undefined_function` and `invalid_schema_name`
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const missingSchema: ReadonlySet<string> = new Set(["42P01", "42703", "42883", "3F000"]);

type Failure = readonly [what: string, next: string];

const untrusted: Failure = [
  "has a certificate that is not trusted",
  "Give the connection its authority (`ssl: { ca }` of the pool, sslrootcert of a URL), or correct the host.",
];

/** What no waiting mends, by SQLSTATE or by the code of Node: what is wrong, and the next step. */
const lasting: ReadonlyMap<string, Failure> = new Map<string, Failure>([
  ["28000", ["refuses the user", "Check the user and the database that the connection names, and pg_hba.conf."]],
  ["28P01", ["refuses the password", "Check the user and the password of the connection."]],
  ["3D000", ["knows no database of that name", "Check the name of the database that the connection names."]],
  ["42501", ["refuses the role a right (42501)", "Grant the role what docs/scaling.md lists for it."]],
  ["ERR_INVALID_URL", ["has a URL that is malformed", "Percent-encode what is special in its user and password."]],
]);

/** The same by kinds of codes: OpenSSL has dozens of each (https://docs.openssl.org/master/man1/openssl-verification-options/). */
const lastingKinds: readonly (readonly [RegExp, Failure])[] = [
  [/CERT|^UNABLE_TO_(?:VERIFY|GET)|^HOSTNAME_MISMATCH$|^INVALID_(?:CA|PURPOSE)$/u, untrusted],
  [
    /^(?:ERR_(?:OSSL|SSL|TLS)_|EPROTO$)/u,
    ["does not agree on TLS", "Check what both sides are set to, and certificates."],
  ],
];

/** What has no code of its own, or shares one, by the driver's or the server's own words. */
const lastingWords: readonly (readonly [RegExp, Failure])[] = [
  [/server does not support SSL/u, ["has no TLS", "Switch it on at the server, or off in the connection."]],
  [/error establishing an SSL connection/u, ["is no Postgres", "Check the host and the port of the connection."]],
  [/password must be a/iu, ["asks for a password", "Write one into the connection: it has none."]],
  [/no encryption/u, ["takes no connection without TLS", "Add sslmode=verify-full to the URL, or `ssl` to the pool."]],
];

/** What the driver or the server threw. Never its own text, which may hold values. */
export function toPostgresError(error: unknown): ByokError {
  if (error instanceof ByokError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (missingSchema.has(code)) return noSchema();
  if (code === "25006") return storeUnavailable("is read-only", "Connect to the primary, not to a replica.");
  const failure = findLasting(error, code);
  if (failure !== undefined) return storeUnavailable(...failure, { retryable: false });
  if (code === "ENOTFOUND") {
    return storeUnavailable("has a host that no name server knows", "Check its name, then try again.");
  }
  return driverFailed(error);
}

function findLasting(error: unknown, code: string): Failure | undefined {
  const isWorded = error instanceof Error && (code === "" || code === "28000");
  const worded = isWorded ? lastingWords.find(([words]) => words.test(error.message)) : undefined;
  return (worded ?? lastingKinds.find(([codes]) => codes.test(code)))?.[1] ?? lasting.get(code);
}
