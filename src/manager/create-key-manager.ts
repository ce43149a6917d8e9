import { type Clock, systemClock } from "../clock.ts";
import { within } from "../deadline.ts";
import { assertActor } from "../identifier.ts";
import { explainUnopened, type UnopenedReason } from "../keyring/explain-unopened.ts";
import { copyOwn } from "../own-property.ts";
import type { KeyRecord } from "../store/key-record.ts";
import { defaultKeyName } from "../store/sealed-key.ts";
import { readAuditPage, toAuditPage } from "./audit-page.ts";
import { CheckLimiter } from "./check-limiter.ts";
import { KeyChanger } from "./key-changer.ts";
import { KeyChecks } from "./key-checks.ts";
import { describeKey } from "./key-description.ts";
import { KeyImporter } from "./key-importer.ts";
import { readActor } from "./key-inputs.ts";
import type { KeyManager } from "./key-manager.ts";
import { findUnopened, toStatus } from "./key-status.ts";
import { changing, notConfigured, tooSlow } from "./manager-errors.ts";
import { type KeyManagerOptions, ManagerSettings } from "./manager-settings.ts";
import { toProviderConfig } from "./provider-config.ts";
import { openStoredKey } from "./stored-key.ts";

/**
 * Builds what adds, checks, replaces and removes organisations' keys.
 *
 * @throws ByokError `options_invalid`
 *
 * @example
 * ```ts
 * import { createKeyManager } from "byokit";
 *
 * const keys = createKeyManager({ store, keyring });
 * const { openai_secret_id } = await keys.list("org-1"); // null: the organisation has no key
 * ```
 */
export function createKeyManager(options: KeyManagerOptions): KeyManager {
  return createKeyManagerOn(systemClock, options);
}

/** `createKeyManager` on a clock of the caller's. Internal: for tests that decide what time it is. */
export function createKeyManagerOn(clock: Clock, options: KeyManagerOptions): KeyManager {
  const settings = new ManagerSettings(clock, options);
  const { store, keyring, deadlineMs } = settings;
  const checks = new KeyChecks(settings.endpoints, clock, deadlineMs, new CheckLimiter(clock, settings.checkLimits));
  const changer = new KeyChanger(settings, checks);
  const importer = new KeyImporter(settings);
  const tellAndThrow =
    (orgId: string, record: KeyRecord) =>
    (error: unknown): never => {
      settings.tellUnusable(orgId, record, explainUnopened(error));
      throw error;
    };

  return {
    async list(orgId) {
      const records = await settings.startDeadline(orgId).race(store.describe(orgId));
      return settings.toByokKeys(Object.fromEntries(records.map(({ provider, secretId }) => [provider, secretId])));
    },

    set: (orgId, key) => changer.set(orgId, key),

    setMany: async (keys, by) => await importer.setMany(keys, readActor("setMany()", by)),

    remove: (orgId, key) => changer.remove(orgId, key),

    async verify(orgId, id, by) {
      const actor = readActor("verify()", by);
      const deadline = settings.startDeadline(orgId);
      assertActor(orgId, actor);
      const provider = settings.findProvider(orgId, id);
      for (let round = 1; ; round += 1) {
        const records = await deadline.race(store.describe(orgId));
        const stored = records.find((record) => record.provider === id && record.name === defaultKeyName);
        if (stored === undefined) throw notConfigured(orgId, id);
        const { secretId, region, account } = stored;
        const key = await deadline.race(openStoredKey(keyring, orgId, stored).catch(tellAndThrow(orgId, stored)));
        const asked = { key, region, account };
        const { verdict, reason } = copyOwn(await checks.ask(orgId, provider, asked, deadline.leftMs()));
        const isAnswer = verdict !== "unreachable" && verdict !== "skipped";
        const noting = isAnswer
          ? store.noteCheck({ orgId, provider: id, name: defaultKeyName, secretId, verdict, actor })
          : Promise.resolve(true);
        // A key that was replaced while its provider was asked is not what was asked for.
        if (!(await deadline.race(noting))) {
          if (round < maxRounds) continue;
          throw changing(orgId, id);
        }
        const status = toStatus(isAnswer ? verdict : stored.verdict);
        return { provider: id, secretId, verdict, status, ...(reason === undefined ? {} : { reason }) };
      }
    },

    async describe(orgId) {
      const deadline = settings.startDeadline(orgId);
      const records = await deadline.race(store.describe(orgId));
      const findInTime = (record: KeyRecord): Promise<UnopenedReason | null> =>
        within(clock, deadlineMs / 2, findUnopened(keyring, orgId, record), () => tooSlow(orgId, deadlineMs)).catch(
          explainUnopened,
        );
      const reasons = await deadline.race(Promise.all(records.map(findInTime)));
      return records.map((record, index) => {
        const reason = reasons[index] as UnopenedReason | null;
        if (reason !== null) settings.tellUnusable(orgId, record, reason);
        return describeKey(record, reason);
      });
    },

    async audit(orgId, page) {
      const { before, limit } = readAuditPage(page);
      const deadline = settings.startDeadline(orgId);
      return toAuditPage(await deadline.race(store.audit(orgId, { before, limit: limit + 1 })), limit);
    },

    config() {
      return { providers: settings.providers.map(toProviderConfig) };
    },
  };
}

/** How often a check is made when its key is replaced meanwhile: each time asks the provider. */
const maxRounds = 3;
