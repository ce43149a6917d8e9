import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { ByokError } from "../../errors.ts";
import { isIdentifier } from "../../identifier.ts";
import type { Authenticate, Principal } from "../principal.ts";

/** A bearer token as it is kept: never itself, only its hash. */
export interface HashedToken extends Principal {
  /** SHA-256 of the token, in hexadecimal. A token is to be random: 32 bytes, not a word that can be guessed. */
  readonly sha256: string;
  /** When it was made, in ISO 8601. Absent: unknown. */
  readonly createdAt?: string;
  /** When it expires, in ISO 8601. Absent: never. */
  readonly expiresAt?: string;
}

const maxTokens = 10_000;
const maxTokenLength = 512;
/** The most places in a file that an error names. */
const maxTold = 5;

const identifier = z.string().refine(isIdentifier);
const time = z.iso.datetime({ offset: true });
const tokensFile = z.strictObject({
  tokens: z
    .array(
      z.strictObject({
        sha256: z.string().regex(/^[\da-f]{64}$/u),
        orgId: identifier,
        actor: identifier.exactOptional(),
        canWrite: z.boolean(),
        createdAt: time.exactOptional(),
        expiresAt: time.exactOptional(),
      }),
    )
    .max(maxTokens),
});

/**
 * Reads what a file of tokens holds: `{ "tokens": [{ "sha256", "orgId", "actor", "canWrite", "createdAt", "expiresAt" }] }`.
 *
 * @throws ByokError `options_invalid`
 */
export function parseTokens(text: string): readonly HashedToken[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw makeFileError("it is not JSON");
  }
  const parsed = tokensFile.safeParse(json);
  if (parsed.success) return parsed.data.tokens;
  throw makeFileError(parsed.error.issues.slice(0, maxTold).map(describeFault).join(", "));
}

/**
 * `Authorization: Bearer …` against hashes. Every hash is compared, each in constant time. A token that has
 * expired signs no one in.
 */
export function bearerTokens(tokens: readonly HashedToken[]): Authenticate {
  const principals = tokens.map(({ sha256, createdAt: _, expiresAt, ...principal }) => ({
    hash: Buffer.from(sha256, "hex"),
    principal,
    endsAtMs: expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt),
  }));
  return async (request) => {
    const header = request.headers.get("authorization") ?? "";
    const token = /^Bearer +(?<token>\S+)$/iu.exec(header)?.groups?.["token"] ?? "";
    if (token === "" || token.length > maxTokenLength) return null;
    const presented = createHash("sha256").update(token).digest();
    let found: Principal | null = null;
    const nowMs = Date.now();
    for (const { hash, principal, endsAtMs } of principals) {
      if (timingSafeEqual(hash, presented)) found = nowMs < endsAtMs ? principal : null;
    }
    return found;
  };
}

function describeFault({ path }: { readonly path: readonly PropertyKey[] }): string {
  const place = path.join(".") || "the top";
  if (path.at(-1) !== "canWrite") return `it is malformed at ${place}`;
  const token = path.slice(0, -1).join(".");
  return `${token} does not say "canWrite", which is true for who may change keys and false for who may only read them`;
}

function makeFileError(why: string): ByokError {
  return new ByokError("options_invalid", `The file of tokens is not valid: ${why}. Make it with: byokit tokens add`);
}
