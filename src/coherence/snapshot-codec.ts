import type { KeyAccount } from "../key-account.ts";
import type { EntryCipher } from "../keyring/entry-cipher.ts";
import type { UnopenedReason } from "../keyring/explain-unopened.ts";
import { copyOwn } from "../own-property.ts";
import { Secret } from "../secret.ts";
import { maxEntryBytes } from "../shared-cache/key-cache.ts";
import { defaultKeyName } from "../store/sealed-key.ts";
import { isUnopened, type OpenedSnapshot, type SnapshotKey } from "./opened-snapshot.ts";

/** A snapshot as the shared cache keeps it: without a lease of its own. */
export type CachedSnapshot = Pick<OpenedSnapshot, "orgId" | "incarnation" | "asOf" | "changeId" | "keys">;

/** Why an entry cannot be read. `unknown_kid`: it may be another rollout's, which must not erase each other's. */
export type UnreadableReason = "too_large" | "unopened" | "unknown_kid";

/** 2: with what a key works for. A worker of either refuses the other's entries: it would send a key without its account. */
const version = 2;

interface Head {
  readonly v: number;
  readonly incarnation: string;
  readonly asOf: number;
  readonly changeId: string;
}

interface Row {
  readonly provider: string;
  readonly secretId: string;
  readonly region: string | null;
  readonly account: KeyAccount | null;
  readonly key?: string;
  readonly reason?: UnopenedReason;
  readonly kid?: string;
  readonly sealed?: string;
}

/**
 * A snapshot to bytes and back. Opened keys are sealed as a whole; a key that did not open travels as its JWE. What the
 * entry says of itself stands in front in the clear, and is bound into the seal together with the organisation.
 */
export class SnapshotCodec {
  readonly #cipher: EntryCipher;

  constructor(cipher: EntryCipher) {
    this.#cipher = cipher;
  }

  seal({ orgId, incarnation, asOf, changeId, keys }: CachedSnapshot): Uint8Array | undefined {
    const head = Buffer.from(JSON.stringify({ v: version, incarnation, asOf, changeId } satisfies Head));
    const plain = Buffer.from(JSON.stringify([...keys].map(([provider, key]) => toRow(provider, key))));
    const sealed = this.#cipher.seal(plain, bindTo(orgId, head));
    plain.fill(0);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(head.length);
    const entry = Buffer.concat([length, head, sealed]);
    return entry.length > maxEntryBytes ? undefined : entry;
  }

  open(orgId: string, entry: Uint8Array): CachedSnapshot | UnreadableReason {
    if (entry.length > maxEntryBytes) return "too_large";
    const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
    const headEnd = 2 + (bytes.length < 2 ? 0 : bytes.readUInt16BE());
    const head = bytes.subarray(2, headEnd);
    const plain = this.#cipher.open(bytes.subarray(headEnd), bindTo(orgId, head));
    if (plain === "unknown_kid") return plain;
    if (plain === undefined) return "unopened";
    const { v, incarnation, asOf, changeId } = JSON.parse(head.toString()) as Head;
    if (v !== version) return "unknown_kid";
    const rows = JSON.parse(plain.toString()) as readonly Row[];
    plain.fill(0);
    return { orgId, incarnation, asOf, changeId, keys: new Map(rows.map((row) => [row.provider, toKey(row)])) };
  }
}

function bindTo(orgId: string, head: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${orgId}\0`), head]);
}

function toRow(provider: string, key: SnapshotKey): Row {
  const { secretId, region, account } = key;
  const facts = { provider, secretId, region, account };
  if (!isUnopened(key)) return { ...facts, key: key.secret.reveal() };
  return { ...facts, reason: key.reason, kid: key.sealedKey.kid, sealed: key.sealedKey.sealed };
}

function toKey(row: Row): SnapshotKey {
  const { provider, secretId, region, account, key, reason = "undecryptable", kid = "", sealed = "" } = copyOwn(row);
  const facts = { secretId, region, account };
  if (key !== undefined) return { ...facts, secret: new Secret(key) };
  return { ...facts, reason, sealedKey: { provider, name: defaultKeyName, ...facts, kid, sealed } };
}
