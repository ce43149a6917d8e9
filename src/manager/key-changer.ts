import { type Deadline, within } from "../deadline.ts";
import { isByokError } from "../errors.ts";
import { assertActor, assertOrgId } from "../identifier.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { parseKey } from "../providers/key-format.ts";
import type { StoreChange } from "../store/key-change.ts";
import { defaultKeyName, type KeyRef, type StoredReference } from "../store/sealed-key.ts";
import { ChangeTurns } from "./change-turns.ts";
import type { Admitted, KeyChecks } from "./key-checks.ts";
import { type KeyInput, type KeyRemoval, type Read, readInput, readRemoval } from "./key-inputs.ts";
import type { KeyChange } from "./key-manager.ts";
import { keyChanged, tooSlow } from "./manager-errors.ts";
import { assertAccount, assertRegion, type ManagerSettings } from "./manager-settings.ts";
import { deriveSecretId } from "./secret-id.ts";
import { sealKey } from "./stored-key.ts";

const unasked: Admitted = { verdict: "skipped" };

/** Stores and removes single keys. */
export class KeyChanger {
  readonly #settings: ManagerSettings;
  readonly #checks: KeyChecks;
  readonly #turns = new ChangeTurns();

  constructor(settings: ManagerSettings, checks: KeyChecks) {
    this.#settings = settings;
    this.#checks = checks;
  }

  async set(orgId: string, input: KeyInput): Promise<KeyChange> {
    const asked = readInput(input);
    const { provider: id, apiKey, region, account, actor = null, signal, idempotencyKey } = asked;
    const { store, keyring, isChecking, providers } = this.#settings;
    assertOrgId(orgId);
    assertActor(orgId, actor);
    const provider = this.#settings.findProvider(orgId, id);
    assertRegion(orgId, provider, region);
    assertAccount(orgId, provider, account);
    const key = parseKey(provider, apiKey, providers, orgId);
    const ref = { orgId, provider: id, name: defaultKeyName };
    using turn = this.#turns.begin(ref);
    const deadline = this.#settings.startDeadline(orgId);
    const ended = signal === undefined ? turn.signal : AbortSignal.any([turn.signal, signal]);
    const waiting = this.#settings.startDeadline(orgId, ended);
    try {
      waiting.throwIfEnded();
      const needsRegion = region === undefined && provider.regions !== undefined;
      const needsAccount = account === undefined && provider.accountHeaders !== undefined;
      const place = isChecking || needsRegion || needsAccount ? nodeCrypto().randomUUID() : null;
      const [before] = place === null ? [null] : await waiting.race(store.takePlaces([ref], place));
      const kept = keep(asked, before);
      const said = isChecking ? await this.#checks.admit(orgId, provider, { key, ...kept }, ended) : unasked;
      const secretId =
        idempotencyKey === undefined ? nodeCrypto().randomUUID() : deriveSecretId(ref, kept, key, idempotencyKey);
      const sealed = await waiting.race(sealKey(keyring, key, { orgId, provider: id, secretId, ...kept }));
      const { verdict } = said;
      const facts = { secretId, ...kept, hint: key.hint(), actor, verdict, place };
      const stored = this.#commit(ref, waiting, () => store.put({ ...ref, ...sealed, ...facts }));
      return { ...(await deadline.race(stored)), ...said, ...kept };
    } catch (error) {
      await this.#noteAttempt(ref, actor, error, deadline.leftMs());
      throw error;
    }
  }

  async remove(orgId: string, removal: KeyRemoval): Promise<KeyChange> {
    const { provider: id, actor = null, signal } = readRemoval(removal);
    assertOrgId(orgId);
    assertActor(orgId, actor);
    const { store } = this.#settings;
    const ref = { orgId, provider: this.#settings.findProvider(orgId, id).id, name: defaultKeyName };
    using turn = this.#turns.begin(ref);
    const deadline = this.#settings.startDeadline(orgId);
    const ended = signal === undefined ? [turn.signal] : [turn.signal, signal];
    const waiting = this.#settings.startDeadline(orgId, ...ended);
    waiting.throwIfEnded();
    const removed = this.#commit(ref, waiting, () => store.remove(ref, { actor }));
    return { ...(await deadline.race(removed)), ...unasked, region: null, account: null };
  }

  /**
   * Publishes a notice after the commit, even when the caller no longer waits for it, and when it is not known whether there
   * was one.
   */
  async #commit(
    ref: KeyRef,
    waiting: Deadline,
    step: () => Promise<StoreChange | undefined>,
  ): Promise<Pick<KeyChange, "byokKeys" | "seq" | "published" | "effectiveWithinMs">> {
    const { orgId } = ref;
    const { cache, leaseMs } = this.#settings;
    try {
      const change = await this.#turns.run(orgId, async () => {
        // Nothing is stored for a caller that went away, or was overtaken, while this change waited for its turn.
        waiting.throwIfEnded();
        return await step();
      });
      if (change === undefined) throw keyChanged(ref);
      const published = (await cache?.invalidate({ orgId, seq: change.seq })) ?? false;
      const byokKeys = this.#settings.toByokKeys(change.references);
      return { byokKeys, seq: change.seq, published, effectiveWithinMs: leaseMs };
    } catch (error) {
      if (mayBeStored(error)) await cache?.invalidate({ orgId, seq: null });
      throw error;
    }
  }

  /** A key that its provider rejects leaves a trace; that this fails changes nothing of the answer. */
  async #noteAttempt(ref: KeyRef, actor: string | null, error: unknown, leftMs: number): Promise<void> {
    if (!isByokError(error) || error.code !== "key_rejected") return;
    const { clock, store, deadlineMs } = this.#settings;
    await within(clock, leftMs, store.noteAttempt(ref, { actor }), () => tooSlow(ref.orgId, deadlineMs)).catch(
      () => {},
    );
  }
}

/** Where a key is sent, and what it works for: as it is asked for, else as it is for the key that it replaces. */
export function keep(
  { region, account }: Pick<Read<KeyInput>, "region" | "account">,
  before: StoredReference | null | undefined,
): Pick<StoredReference, "region" | "account"> {
  return {
    region: region === undefined ? (before?.region ?? null) : region,
    account: account === undefined ? (before?.account ?? null) : account,
  };
}

/** Whether a change that failed like this may be stored all the same; a store of the platform's own may fail in its own words. */
export function mayBeStored(error: unknown): boolean {
  return !isByokError(error) || error.code === "store_unavailable";
}
