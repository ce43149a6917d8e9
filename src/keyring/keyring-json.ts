import type { KeyObject } from "node:crypto";
import { ByokError } from "../errors.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { describeGiven, isPromise } from "../option-kinds.ts";
import { copyOwn, isRecord, ownProperty } from "../own-property.ts";
import { keyLength } from "./aes-gcm.ts";
import { decodeBase64url } from "./decode-base64url.ts";
import { keyringKind } from "./keyring-kind.ts";

/** A symmetric key as RFC 7517 writes it: `kty` is `oct`, `k` is 32 bytes in base64url. */
export interface Jwk {
  readonly kty: "oct";
  readonly kid: string;
  readonly alg: "A256GCMKW" | "A256GCM";
  readonly k: string;
}

/**
 * The key-encryption keys as they are kept in a secret store. `primary` seals, every other one only opens. `cache` is a
 * second ring that seals what workers share through Redis; it is never derived from the first.
 */
export interface KeyringJson {
  readonly primary: string;
  readonly keys: readonly Jwk[];
  readonly cache: { readonly primary: string; readonly keys: readonly Jwk[] };
}

/** A ring whose keys have been checked and imported, once. */
export interface Ring {
  readonly primary: string;
  readonly primaryKey: KeyObject;
  readonly keys: ReadonlyMap<string, KeyObject>;
}

/** What a kid may be. */
export const kidPattern: RegExp = /^[a-z0-9-]{1,32}$/u;

/**
 * A keyring with one fresh key in each ring. Keep the result in a secret store, because it opens every key.
 *
 * @param kid Names the key, in 1 to 32 of `a-z`, `0-9` and `-`, and must name no other one, ever: what is stored says by
 * it which key opens it. Absent: the month and eight random digits.
 * @throws ByokError `options_invalid`
 *
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { generateKeyring } from "byokit";
 *
 * writeFileSync("./keyring.json", JSON.stringify(generateKeyring()), { mode: 0o600, flag: "wx" });
 * ```
 */
export function generateKeyring(kid: string = createKid()): KeyringJson {
  if (typeof kid !== "string" || !kidPattern.test(kid)) throw invalid("a kid has 1 to 32 of a-z, 0-9 and -");
  const cacheKid = `cache-${kid}`.slice(0, 32);
  return {
    primary: kid,
    keys: [{ kty: "oct", kid, alg: "A256GCMKW", k: nodeCrypto().randomBytes(keyLength).toString("base64url") }],
    cache: {
      primary: cacheKid,
      keys: [
        { kty: "oct", kid: cacheKid, alg: "A256GCM", k: nodeCrypto().randomBytes(keyLength).toString("base64url") },
      ],
    },
  };
}

/** Two keyrings of one month never share one: a key would be taken for another's. */
function createKid(): string {
  return `kek-${new Date().toISOString().slice(0, 7)}-${nodeCrypto().randomBytes(4).toString("hex")}`;
}

/**
 * @throws ByokError `options_invalid` for anything but a keyring: duplicate kids, a key of another length or of
 * zeros, one key under two kids or in both rings, an unknown primary. The message never holds what was passed.
 */
export function parseKeyring(json: KeyringJson | string): { readonly keys: Ring; readonly cache: Ring } {
  const keyring = typeof json === "string" ? parseJson(json) : (json as unknown);
  if (!isRecord(keyring) || isPromise(keyring)) throw invalid(`it is ${describeGiven(keyring)}`);
  if (keyring instanceof Uint8Array) throw invalid('it is bytes: read its file as "utf8"');
  if (keyringKind.fits(keyring)) throw invalid("it is what createKeyring() made: pass that on as it is");
  const cacheJson = ownProperty(keyring, "cache");
  if (!isRecord(cacheJson)) throw invalid('"cache" is missing');
  const keys = parseRing("keys", keyring, "A256GCMKW");
  const cache = parseRing("cache.keys", cacheJson, "A256GCM");
  for (const cacheKey of cache.keys.values()) {
    for (const key of keys.keys.values()) if (key.equals(cacheKey)) throw invalid("a key stands in both rings");
  }
  return { keys, cache };
}

function parseRing(name: string, ring: Readonly<Record<string, unknown>>, alg: Jwk["alg"]): Ring {
  const { primary, keys: jwks } = copyOwn(ring);
  if (!Array.isArray(jwks) || jwks.length === 0) throw invalid(`"${name}" is not a list of keys`);
  const keys = new Map<string, KeyObject>();
  for (const jwk of jwks as readonly unknown[]) {
    if (!isRecord(jwk)) throw invalid(`"${name}" holds something that is not a key`);
    const { kid, kty, k, alg: stated } = copyOwn(jwk);
    if (typeof kid !== "string" || !kidPattern.test(kid)) throw invalid(`a kid in "${name}" is malformed`);
    if (keys.has(kid)) throw invalid(`"${name}" has the kid "${kid}" twice`);
    if (kty !== "oct" || stated !== alg) throw invalid(`key "${kid}" must have kty "oct" and alg "${alg}"`);
    const bytes = decodeBase64url(k);
    if (bytes?.length !== keyLength) throw invalid(`key "${kid}" must be 32 bytes in base64url`);
    if (bytes.every((byte) => byte === 0)) throw invalid(`key "${kid}" is all zeros`);
    const key = nodeCrypto().createSecretKey(bytes);
    for (const [other, known] of keys) if (known.equals(key)) throw invalid(`"${kid}" is the key "${other}" again`);
    keys.set(kid, key);
  }
  const primaryKey = typeof primary === "string" ? keys.get(primary) : undefined;
  if (typeof primary !== "string" || primaryKey === undefined)
    throw invalid(`the primary of "${name}" is not among its keys`);
  return { primary, primaryKey, keys };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("it is not JSON, as what its file holds is, and not its path");
  }
}

function invalid(reason: string): ByokError {
  return new ByokError(
    "options_invalid",
    `The keyring is not valid: ${reason}. Make one with generateKeyring(), or with: byokit keyring create`,
  );
}
