import { ByokError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { type JweHeader, openJwe, readHeader, sealJwe } from "./compact-jwe.ts";
import { createEntryCipher } from "./entry-cipher.ts";
import type { EncryptionContext, Keyring } from "./keyring.ts";
import { type KeyringJson, kidPattern, parseKeyring } from "./keyring-json.ts";

/** The longest sealed key that is made or parsed, in characters: a key of 512 characters seals to about 1,200. */
const maxSealedLength = 4_096;

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

  return {
    entryCipher: createEntryCipher(cache),

    async seal(key, context) {
      const plain = Buffer.from(key.reveal());
      const sealed = sealJwe(plain, { kid: ring.primary, typ, ...bindHeader(context) }, primaryKey);
      plain.fill(0);
      if (sealed.length > maxSealedLength) throw tooLong(context);
      return { kid: ring.primary, sealed };
    },

    async open(sealed, context) {
      const header = sealed.length <= maxSealedLength ? readHeader(sealed) : undefined;
      const kid = readKid(header);
      if (header === undefined || kid === undefined) throw undecryptable(context, "no kid");
      const key = ring.keys.get(kid);
      if (key === undefined) throw keyringOutdated(context, kid);
      const plain = openJwe(sealed, header, key);
      if (plain === undefined || !isBoundTo(header, context)) throw undecryptable(context, kid);
      const secret = new Secret(plain.toString());
      plain.fill(0);
      return secret;
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

/** The seal authenticates the header and compares it with nothing: a token of another row opens too. */
function isBoundTo(header: JweHeader, { orgId, secretId, provider, region, account }: EncryptionContext): boolean {
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

/** Not trusted: it selects from the local keyring and nothing else. */
function readKid(header: JweHeader | undefined): string | undefined {
  const kid = header?.["kid"];
  return typeof kid === "string" && kidPattern.test(kid) ? kid : undefined;
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
