import type { ByokError } from "../errors.ts";
import type { KeyAccount } from "../key-account.ts";
import type { KeyCheck } from "../providers/provider.ts";
import type { Verdict } from "../store/key-change.ts";
import type { AuditPage, AuditPageOptions } from "./audit-page.ts";
import type { KeyDescription } from "./key-description.ts";
import type { KeyImport, KeyInput, KeyRemoval } from "./key-inputs.ts";
import type { KeyStatus } from "./key-status.ts";
import type { ProviderConfig } from "./provider-config.ts";

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

/** The result of a row: stored under `seq`, or an `error` whose `code` says why it was not. */
export type ImportedKey = { readonly orgId: string; readonly provider: string } & (
  | { readonly seq: number; readonly secretId: string; readonly error?: undefined }
  | { readonly error: ByokError; readonly seq?: undefined; readonly secretId?: undefined }
);

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
