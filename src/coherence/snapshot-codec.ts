import type { CacheCipher } from "../keyring/cache-cipher.ts";
import { Secret } from "../secret.ts";
import type { HeldKey, HeldSnapshot, OpenTrouble } from "./held-snapshot.ts";

/** A snapshot as the shared cache keeps it: without a lease of its own. */
export type CachedSnapshot = Pick<HeldSnapshot, "orgId" | "incarnation" | "snap" | "mark" | "keys">;

/** Why an entry cannot be read. `unknown_kid`: it may be another rollout's, which must not erase each other's. */
export type EntryTrouble = "too_large" | "unopened" | "unknown_kid";

/** The largest entry that is kept or opened, in bytes: a snapshot of a hundred keys. */
const maxEntryBytes = 262_144;
const version = 1;

interface Head {
  readonly v: number;
  readonly incarnation: string;
  readonly snap: number;
  readonly mark: string;
}

interface Row {
  readonly provider: string;
  readonly secretId: string;
  readonly region: string | null;
  readonly key?: string;
  readonly trouble?: OpenTrouble;
  readonly kid?: string;
  readonly sealed?: string;
}

/**
 * A snapshot to bytes and back. Opened keys are sealed as a whole; a key that did not open travels as its JWE. What the
 * entry says of itself stands in front in the clear, and is bound into the seal together with the organisation.
 */
export class SnapshotCodec {
  readonly #cipher: CacheCipher;

  constructor(cipher: CacheCipher) {
    this.#cipher = cipher;
  }

  seal({ orgId, incarnation, snap, mark, keys }: CachedSnapshot): Uint8Array | undefined {
    const head = Buffer.from(JSON.stringify({ v: version, incarnation, snap, mark } satisfies Head));
    const plain = Buffer.from(JSON.stringify([...keys].map(([provider, key]) => rowOf(provider, key))));
    const sealed = this.#cipher.seal(plain, boundTo(orgId, head));
    plain.fill(0);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(head.length);
    const entry = Buffer.concat([length, head, sealed]);
    return entry.length > maxEntryBytes ? undefined : entry;
  }

  open(orgId: string, entry: Uint8Array): CachedSnapshot | EntryTrouble {
    if (entry.length > maxEntryBytes) return "too_large";
    const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
    const headEnd = 2 + (bytes.length < 2 ? 0 : bytes.readUInt16BE());
    const head = bytes.subarray(2, headEnd);
    const plain = this.#cipher.open(bytes.subarray(headEnd), boundTo(orgId, head));
    if (plain === "unknown_kid") return plain;
    if (plain === undefined) return "unopened";
    const { v, incarnation, snap, mark } = JSON.parse(head.toString()) as Head;
    if (v !== version) return "unknown_kid";
    const rows = JSON.parse(plain.toString()) as readonly Row[];
    plain.fill(0);
    return { orgId, incarnation, snap, mark, keys: new Map(rows.map((row) => [row.provider, keyOf(row)])) };
  }
}

function boundTo(orgId: string, head: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${orgId}\0`), head]);
}

function rowOf(provider: string, key: HeldKey): Row {
  const { secretId, region } = key;
  if ("secret" in key) return { provider, secretId, region, key: key.secret.reveal() };
  return { provider, secretId, region, trouble: key.trouble, kid: key.sealedKey.kid, sealed: key.sealedKey.sealed };
}

function keyOf({ provider, secretId, region, key, trouble = "undecryptable", kid = "", sealed = "" }: Row): HeldKey {
  if (key !== undefined) return { secretId, region, secret: new Secret(key) };
  return { secretId, region, trouble, sealedKey: { provider, secretId, region, kid, sealed } };
}
