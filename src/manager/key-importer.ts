import { Deadline } from "../deadline.ts";
import { ByokError, isByokError } from "../errors.ts";
import { assertActor, assertOrgId } from "../identifier.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { list } from "../option-kinds.ts";
import { assertOption } from "../options.ts";
import { copyOwn } from "../own-property.ts";
import { parseKey } from "../providers/key-format.ts";
import type { Secret } from "../secret.ts";
import type { PlacedKey, StoredKey } from "../store/key-change.ts";
import { maxBatchKeys } from "../store/key-store.ts";
import { defaultKeyName, type KeyRef } from "../store/sealed-key.ts";
import { keep, mayBeStored } from "./key-changer.ts";
import { type KeyImport, type Read, readRow } from "./key-inputs.ts";
import type { ImportedKey } from "./key-manager.ts";
import { keyChanged, notTried, tooSlow } from "./manager-errors.ts";
import { assertAccount, assertRegion, type ManagerSettings } from "./manager-settings.ts";
import { deriveSecretId } from "./secret-id.ts";
import { sealKey } from "./stored-key.ts";

/** A row that can be stored. */
interface ParsedRow {
  readonly index: number;
  readonly row: Read<KeyImport>;
  readonly ref: KeyRef;
  readonly key: Secret;
}

/** Stores keys by the hundred: for imports. */
export class KeyImporter {
  readonly #settings: ManagerSettings;

  constructor(settings: ManagerSettings) {
    this.#settings = settings;
  }

  /** @throws ByokError `options_invalid` for an actor that cannot be written down; what is wrong with a row is its result. */
  async setMany(rows: readonly KeyImport[], actor: string | null): Promise<ImportedKey[]> {
    assertOption("keys", rows, list);
    assertActor(undefined, actor);
    const results: ImportedKey[] = [];
    let hasFailed = false;
    for (let first = 0; first < rows.length; first += maxBatchKeys) {
      const batch = rows.slice(first, first + maxBatchKeys);
      const imported: ImportedKey[] = hasFailed
        ? batch.map((row) => fail(row, notTried(row)))
        : await this.#setBatch(batch, actor);
      hasFailed ||= imported.some(({ error }) => error !== undefined && isOutage(error));
      results.push(...imported);
    }
    return results;
  }

  async #setBatch(batch: readonly KeyImport[], actor: string | null): Promise<ImportedKey[]> {
    const results: (ImportedKey | undefined)[] = batch.map(() => undefined);
    const rows = this.#parse(batch, results);
    const settle = ({ index, ref }: ParsedRow, error: ByokError): void => {
      results[index] = fail(ref, error);
    };
    const { clock, deadlineMs } = this.#settings;
    const deadline = new Deadline(clock, deadlineMs, [], () => tooSlow(undefined, deadlineMs));
    try {
      const keys = rows.length === 0 ? [] : await this.#seal(rows, actor, deadline, settle);
      const stored = keys.length === 0 ? [] : await deadline.race(this.#commit(keys.map(({ key }) => key)));
      for (const [at, { row, key }] of keys.entries()) {
        const change = stored[at];
        if (change === undefined) settle(row, keyChanged(row.ref));
        else results[row.index] = { ...nameOf(row.ref), seq: change.seq, secretId: key.secretId };
      }
    } catch (error) {
      for (const row of rows) if (results[row.index] === undefined) settle(row, toBatchError(error));
    }
    return results as ImportedKey[];
  }

  /** What is wrong with a row is its result. Of two rows of the same key the later one is stored. */
  #parse(batch: readonly KeyImport[], results: (ImportedKey | undefined)[]): ParsedRow[] {
    const { providers } = this.#settings;
    const parsed = new Map<string, ParsedRow>();
    for (const [index, given] of batch.entries()) {
      try {
        const row = readRow(given);
        const orgId = assertOrgId(row.orgId);
        const provider = this.#settings.findProvider(orgId, row.provider);
        assertRegion(orgId, provider, row.region);
        assertAccount(orgId, provider, row.account);
        const key = parseKey(provider, row.apiKey, providers, orgId);
        const ref = { orgId, provider: provider.id, name: defaultKeyName };
        const id = JSON.stringify([orgId, provider.id]);
        const earlier = parsed.get(id);
        if (earlier !== undefined) results[earlier.index] = fail(ref, keyChanged(ref));
        parsed.set(id, { index, row, ref, key });
      } catch (error) {
        results[index] = fail(given, isByokError(error) ? error : rowInvalid());
      }
    }
    return [...parsed.values()];
  }

  /** Every key takes its place, and keeps the region and the account that are stored where its row names none. */
  async #seal(
    rows: readonly ParsedRow[],
    actor: string | null,
    deadline: Deadline,
    settle: (row: ParsedRow, error: ByokError) => void,
  ): Promise<{ readonly row: ParsedRow; readonly key: PlacedKey }[]> {
    const { store, keyring } = this.#settings;
    const place = nodeCrypto().randomUUID();
    const before = await deadline.race(
      store.takePlaces(
        rows.map(({ ref }) => ref),
        place,
      ),
    );
    const seal = async (parsed: ParsedRow, at: number): Promise<PlacedKey | ByokError> => {
      const { ref, key, row } = parsed;
      const kept = keep(row, before[at]);
      const { idempotencyKey } = row;
      const secretId =
        idempotencyKey === undefined ? nodeCrypto().randomUUID() : deriveSecretId(ref, kept, key, idempotencyKey);
      const context = { orgId: ref.orgId, provider: ref.provider, secretId, ...kept };
      const facts = { secretId, ...kept, hint: key.hint(), actor, verdict: "skipped", place } as const;
      return { ...ref, ...(await sealKey(keyring, key, context)), ...facts };
    };
    const sealing = rows.map((row, at) => seal(row, at).catch((error: unknown) => toBatchError(error)));
    const sealed = await deadline.race(Promise.all(sealing));
    return sealed.flatMap((key, at) => {
      const row = rows[at] as ParsedRow;
      if (!isByokError(key)) return [{ row, key }];
      settle(row, key);
      return [];
    });
  }

  /** One notice covers the whole batch, and is sent as well when it is unknown whether the batch was stored. */
  async #commit(keys: readonly PlacedKey[]): Promise<readonly (StoredKey | undefined)[]> {
    const { store, cache } = this.#settings;
    try {
      const stored = await store.putMany(keys);
      const seqs = stored.flatMap((change) => (change === undefined ? [] : [change.seq]));
      if (seqs.length > 0) {
        await cache?.invalidate({ orgId: null, firstSeq: Math.min(...seqs), seq: Math.max(...seqs) });
      }
      return stored;
    } catch (error) {
      if (mayBeStored(error)) await cache?.invalidate({ orgId: null, seq: null });
      throw error;
    }
  }
}

function nameOf({ orgId, provider }: Pick<KeyRef, "orgId" | "provider">): Pick<KeyRef, "orgId" | "provider"> {
  return { orgId, provider };
}

/** A row's own error: one that befell its batch names neither its organisation nor its provider. */
function fail(row: Pick<KeyRef, "orgId" | "provider"> | null | undefined, error: ByokError): ImportedKey {
  const { orgId = "", provider = "" } = copyOwn<Partial<KeyRef>>(row ?? {});
  const retryable = error.retryable ? undefined : (false as const);
  return { orgId, provider, error: new ByokError(error.code, error.message, { orgId, provider, retryable }) };
}

function toBatchError(error: unknown): ByokError {
  if (isByokError(error)) return error;
  return new ByokError(
    "store_unavailable",
    "The store failed with an error of its own. Check it, then send the row again.",
  );
}

function rowInvalid(): ByokError {
  const message = "The row has no orgId, provider and apiKey that are texts. Correct the row.";
  return new ByokError("options_invalid", message);
}

/** After an outage the rest is not tried: every batch would wait for its deadline. */
function isOutage({ code }: ByokError): boolean {
  return code === "store_unavailable" || code === "deadline_exceeded" || code === "keyring_unavailable";
}
