import type { ByokError } from "../errors.ts";
import type { AccountField, KeyAccount, NamedAccount } from "../key-account.ts";
import type { UnopenedReason } from "../keyring/explain-unopened.ts";
import type { KeyCheck, Model, Voice } from "../providers/provider.ts";
import type { Category } from "../slot.ts";
import type { Verdict } from "../store/key-change.ts";
import type { AuditRow } from "../store/key-record.ts";
import type { KeyStatus } from "./key-status.ts";

/** Adds, replaces, removes and describes organisations' keys. Never returns one. */
export interface KeyManager {
  /** `{ openai_secret_id: "…", deepgram_secret_id: null, … }`: every provider, `null` where there is no key. */
  list(orgId: string): Promise<ByokKeys>;

  /**
   * Stores a key, replacing and deleting the previous one. White space around the key is removed. Unless `verify` is `"off"`, the
   * key is first checked with its provider, in its region and for its account. A provider that does not answer rejects no key.
   *
   * The change that was asked for last wins, on any number of processes: one that is overtaken by a later `set` or `remove` while
   * its provider is being asked ends with `key_changed`.
   *
   * @throws ByokError Nothing is stored: `provider_unknown`, `region_unknown`, `account_unsupported`, `key_malformed`,
   * `checks_limited`; `key_rejected` if the provider says that the key is not valid, or does not work for that account; `key_changed`
   * if it was overtaken. It is unknown whether it is stored, so make the same call again: `store_unavailable`, `deadline_exceeded`.
   *
   * @example
   * ```ts
   * const { seq, verdict } = await manager.set("org-1", { provider: "openai", apiKey, actor: "ada" });
   * const call = await resolver.resolve("org-1", agent, { atLeast: seq }); // sees the change
   * ```
   */
  set(orgId: string, key: KeyInput): Promise<KeyChange>;

  /**
   * Stores many keys without checking them with their providers, for imports: in batches of 500, each in one step that takes its
   * places when it begins. Resolves to one result per row, in order. A row that is wrong has an `error`, and the others are
   * stored. If the database does not take a batch, those after it are not tried. To go on, send the rows with an error again.
   *
   * @throws ByokError `options_invalid` for an `actor` that cannot be written down.
   */
  setMany(keys: readonly KeyImport[], by?: { readonly actor?: string }): Promise<ImportedKey[]>;

  /**
   * Removes a key for good. Where there is none it changes nothing and succeeds, so that a retry is safe.
   *
   * @example
   * ```ts
   * const { effectiveWithinMs } = await manager.remove("org-1", { provider: "openai" });
   * ```
   */
  remove(orgId: string, key: KeyRemoval): Promise<KeyChange>;

  /**
   * Checks a stored key with its provider, in the key's region, and keeps the answer as the key's status. A provider that
   * does not answer leaves the status as it was. Calls go on as before, whatever the answer is.
   *
   * @throws ByokError `key_not_configured` when there is none; `checks_limited`; `key_undecryptable`,
   * `keyring_outdated`, `keyring_unavailable`, `store_unavailable`; `deadline_exceeded`, as when the key is
   * replaced again and again.
   */
  verify(orgId: string, provider: string, by?: { readonly actor?: string }): Promise<Verification>;

  /** What may be shown of an organisation's keys, sorted by provider, those that do not open included. */
  describe(orgId: string): Promise<KeyDescription[]>;

  /**
   * An organisation's audit trail, the newest first: changes, checks and attempts, who made them, and when. Of calls that
   * use a key it has the first of each secret that found it refused, exhausted or taken again, and no other trace.
   */
  audit(orgId: string, page?: AuditPageOptions): Promise<AuditPage>;

  /** The body of `GET /byok/config`. */
  config(): { readonly providers: ProviderConfig[] };
}

export interface KeyInput {
  readonly provider: string;
  readonly apiKey: string;
  /**
   * One of the provider's regions: the key is then sent to that region's host only. `null`: to the default host. Absent: the
   * region of the key that it replaces, so that a rotation moves no traffic.
   */
  readonly region?: string | null | undefined;
  /**
   * The account that the key is used for, if it can be used for several: each request names it beside the key. `null`: the
   * provider's default. Absent: the account of the key that it replaces.
   */
  readonly account?: NamedAccount | null | undefined;
  /** Who does it, for the record. */
  readonly actor?: string | undefined;
  /** If it is aborted before the key is being stored, nothing is stored, and the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** A call that is repeated with the same text is the same change: it happens once, and succeeds each time. */
  readonly idempotencyKey?: string | undefined;
}

/** Who makes a change, for the record. */
export interface ChangedBy {
  readonly actor?: string | undefined;
}

/** A row of an import. */
export interface KeyImport {
  readonly orgId: string;
  readonly provider: string;
  readonly apiKey: string;
  /** As in {@link KeyInput}. */
  readonly region?: string | null | undefined;
  /** As in {@link KeyInput}. */
  readonly account?: NamedAccount | null | undefined;
  /** As in {@link KeyInput}. */
  readonly idempotencyKey?: string | undefined;
}

/** The result of a row: stored under `seq`, or an `error` whose `code` says why it was not. */
export type ImportedKey = { readonly orgId: string; readonly provider: string } & (
  | { readonly seq: number; readonly secretId: string; readonly error?: undefined }
  | { readonly error: ByokError; readonly seq?: undefined; readonly secretId?: undefined }
);

/** Which key to remove. */
export interface KeyRemoval {
  readonly provider: string;
  /** Who does it, for the record. */
  readonly actor?: string | undefined;
  /** As in {@link KeyInput}. */
  readonly signal?: AbortSignal | undefined;
}

/** The references that an organisation holds: `<provider>_secret_id`. */
export type ByokKeys = Record<`${string}_secret_id`, string | null>;

export interface KeyChange {
  readonly byokKeys: ByokKeys;
  /** The number of the change. Pass it along as `atLeast` to a call that must see it. */
  readonly seq: number;
  /** What the provider said of the key. `skipped`: it was not asked. */
  readonly verdict: "passed" | "restricted" | "unreachable" | "skipped";
  /** Why, as one word of byokit's own; absent where there is nothing to say. */
  readonly reason?: KeyCheck["reason"];
  /** The region that holds from now on; `null` for the provider's default host, and after a removal. */
  readonly region: string | null;
  /** What the key works for from now on; `null` for what its provider takes for it, and after a removal. */
  readonly account: KeyAccount | null;
  /** Whether Redis took the notice that lets workers learn of the change at once. */
  readonly published: boolean;
  /**
   * Milliseconds after which no worker that can reach the database hands out the previous key. Workers with a
   * `serveStaleMs` add it while the database is gone.
   */
  readonly effectiveWithinMs: number;
}

/** What a provider said of a stored key. */
export interface Verification {
  readonly provider: string;
  readonly secretId: string;
  /** `skipped`: the provider has no check. */
  readonly verdict: Exclude<Verdict, "exhausted">;
  /** The key's status from now on. */
  readonly status: KeyStatus;
  /** Why, as one word of byokit's own; absent where there is nothing to say. */
  readonly reason?: KeyCheck["reason"];
}

export interface KeyDescription {
  readonly provider: string;
  readonly secretId: string;
  /** The key's last four characters; `null` for one of fewer than 20. */
  readonly hint: string | null;
  readonly status: KeyStatus;
  /** Why this manager's keyring does not open it; `null` where it does. For the operator: see {@link UnopenedReason}. */
  readonly unopened: UnopenedReason | null;
  readonly region: string | null;
  readonly account: KeyAccount | null;
  /** The keyring entry that it is sealed under. */
  readonly kid: string;
  /** RFC 3339, by the database's clock. */
  readonly createdAt: string;
  readonly createdBy: string | null;
  /** When its provider last said something about it, RFC 3339; `null` if it never has. */
  readonly lastCheckedAt: string | null;
}

/** The most entries of one {@link KeyManager.audit}. */
export const maxAuditPage = 200;

export interface AuditPageOptions {
  /** `next` of the previous page. Absent: the newest. */
  readonly before?: number | undefined;
  /** At most 200. @default 50 */
  readonly limit?: number | undefined;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Pass it as `before` for the next page; `null` on the last. */
  readonly next: number | null;
}

/** One change, as it was made. Written in the change's own transaction, and never altered. */
export interface AuditEntry extends Omit<AuditRow, "atMs"> {
  /** RFC 3339, by the database's clock. */
  readonly at: string;
}

/** A provider as `GET /byok/config` shows it; `slot`, `serves`, `regions` and `account_fields` stand beside the documented fields. */
export interface ProviderConfig {
  readonly id: string;
  readonly name: string;
  readonly category: Category;
  readonly docs_url: string;
  readonly models: readonly Model[];
  readonly voices?: readonly Voice[];
  readonly serves: readonly string[];
  readonly regions: readonly string[];
  /** What a key of it may be stored with as its account: `organization`, `project`. */
  readonly account_fields: readonly AccountField[];
}
