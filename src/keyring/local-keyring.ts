import { ByokError } from "../errors.ts";
import { copyOwn, isRecord, ownProperty } from "../own-property.ts";
import { Secret } from "../secret.ts";
import { createEntryCipher } from "./entry-cipher.ts";
import type { EncryptionContext, Keyring } from "./keyring.ts";
import { type KeyringJson, parseKeyring } from "./keyring-json.ts";

/** The longest sealed key that is made or parsed, in characters: a key of 512 characters seals to about 1,200. */
const maxSealedLength = 4_096;

const alg = "A256GCMKW";
const enc = "A256GCM";
const typ = "byok+jwe";

/**
 * A keyring of local keys. Seals as compact JWE (RFC 7516) with a fresh content key per secret; the protected header
 * binds organisation, secret, provider and, where there are any, region and account, so that a row that is copied to another
 * organisation, sent to another region, or pointed at another account, does not open.
 *
 * @throws ByokError `options_invalid`
 */
export function createKeyring(json: KeyringJson | string): Keyring {
  const { keys: ring, cache } = parseKeyring(json);
  const { primaryKey } = ring;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  // Begun now: the first call of a worker would otherwise wait for it.
  const ciphers = Promise.all([import("jose/jwe/compact/encrypt"), import("jose/jwe/compact/decrypt")]);
  ciphers.catch(() => {});

  return {
    entryCipher: createEntryCipher(cache),

    async seal(key, context) {
      const header = { alg, enc, kid: ring.primary, typ, ...bindHeader(context) };
      const [{ CompactEncrypt }] = await ciphers;
      const sealed = await new CompactEncrypt(encoder.encode(key.reveal()))
        .setProtectedHeader(header)
        .encrypt(primaryKey);
      if (sealed.length > maxSealedLength) throw tooLong(context);
      return { kid: ring.primary, sealed };
    },

    async open(sealed, context) {
      const kid = sealed.length <= maxSealedLength ? parseKid(sealed) : undefined;
      if (kid === undefined) throw undecryptable(context, "no kid");
      const key = ring.keys.get(kid);
      if (key === undefined) throw keyringOutdated(context, kid);
      const [, { compactDecrypt }] = await ciphers;
      const opened = await compactDecrypt(sealed, key, {
        keyManagementAlgorithms: [alg],
        contentEncryptionAlgorithms: [enc],
      }).catch(() => undefined);
      if (opened === undefined || !isBoundTo(opened.protectedHeader, context)) throw undecryptable(context, kid);
      return new Secret(decoder.decode(opened.plaintext));
    },
  };
}

/** What is absent stays out: a key without it is bound as it was before there was such a thing. */
function bindHeader(context: EncryptionContext): Readonly<Record<string, string>> {
  const { orgId, secretId, provider, region, account } = context;
  const bound = {
    org: orgId,
    sid: secretId,
    prv: provider,
    rgn: region,
    aco: account?.organization ?? null,
    acp: account?.project ?? null,
  };
  return Object.fromEntries(Object.entries(bound).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

/** jose authenticates the header but compares it with nothing: a token of another row opens too. */
function isBoundTo(protectedHeader: Readonly<Record<string, unknown>>, context: EncryptionContext): boolean {
  const header = copyOwn(protectedHeader);
  const { orgId, secretId, provider, region, account } = context;
  return (
    header["typ"] === typ &&
    header["org"] === orgId &&
    header["sid"] === secretId &&
    header["prv"] === provider &&
    (header["rgn"] ?? null) === region &&
    (header["aco"] ?? null) === (account?.organization ?? null) &&
    (header["acp"] ?? null) === (account?.project ?? null)
  );
}

/** Reads the kid without trusting it: it selects from the local keyring and nothing else. */
function parseKid(sealed: string): string | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(sealed.slice(0, sealed.indexOf(".")), "base64url").toString());
    const kid = isRecord(header) ? ownProperty(header, "kid") : undefined;
    return typeof kid === "string" && /^[a-z0-9-]{1,32}$/u.test(kid) ? kid : undefined;
  } catch {
    return undefined;
  }
}

function tooLong({ orgId, provider }: EncryptionContext): ByokError {
  return new ByokError("key_malformed", "The key is too long to be sealed. Check what was pasted.", {
    orgId,
    provider,
  });
}

function undecryptable({ orgId, provider, secretId }: EncryptionContext, kid: string): ByokError {
  const message = `The secret ${secretId} (${kid}) does not open for this organisation, provider, region and account. Ask the organisation to enter its key again.`;
  return new ByokError("key_undecryptable", message, { orgId, provider });
}

function keyringOutdated({ orgId, provider, secretId }: EncryptionContext, kid: string): ByokError {
  const message = `The secret ${secretId} is sealed under "${kid}", which this keyring does not have. Roll out the current keyring to this process.`;
  return new ByokError("keyring_outdated", message, { orgId, provider });
}
