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
  "Give the pool its authority (`ssl: { ca }`), or correct the host.",
];

/** What no waiting mends, by SQLSTATE or by the code of Node: what is wrong, and the next step. */
const lasting: ReadonlyMap<string, Failure> = new Map<string, Failure>([
  ["28000", ["refuses the user", "Check the user and the database that the connection names, and pg_hba.conf."]],
  ["28P01", ["refuses the password", "Check the user and the password of the connection."]],
  ["3D000", ["knows no database of that name", "Check the name of the database that the connection names."]],
  ["42501", ["refuses the role a right (42501)", "Grant the role what the README lists for it."]],
  ["ERR_INVALID_URL", ["has a URL that is malformed", "Percent-encode what is special in its user and password."]],
  ["CERT_HAS_EXPIRED", untrusted],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", untrusted],
  ["ERR_TLS_CERT_ALTNAME_INVALID", untrusted],
  ["SELF_SIGNED_CERT_IN_CHAIN", untrusted],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", untrusted],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", untrusted],
]);

/** The driver's own words for a server without TLS, which has no code. */
const noTls = "The server does not support SSL connections";

/** What the driver or the server threw. Never its own text, which may hold values. */
export function toPostgresError(error: unknown): ByokError {
  if (error instanceof ByokError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (missingSchema.has(code)) return noSchema();
  if (code === "25006") return storeUnavailable("is read-only", "Connect to the primary, not to a replica.");
  const failure = lasting.get(code);
  if (failure !== undefined) return storeUnavailable(...failure, { retryable: false });
  if (error instanceof Error && error.message === noTls) {
    return storeUnavailable("has no TLS", "Switch it on at the server, or off in the connection.", {
      retryable: false,
    });
  }
  return driverFailed(error);
}
