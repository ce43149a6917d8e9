import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createKeyManager, createKeyring, generateKeyring, isByokError, type KeyManager } from "../../src/index.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { ownPostgresStore } from "../support/stores.ts";
import { waitFor } from "../support/wait-for.ts";

const orgIds = ["a", "b", "c"];
const provider = "openai";

/** Changes of every kind, as two people and an import make them at the same time. */
async function makeChanges(managers: readonly KeyManager[], count: number): Promise<void> {
  const change = async (turn: number): Promise<unknown> => {
    const manager = managers[turn % managers.length] as KeyManager;
    const orgId = orgIds[turn % orgIds.length] as string;
    const apiKey = `key-number-${turn}`;
    if (turn % 5 === 0) return await manager.remove(orgId, { provider });
    if (turn % 5 === 1) return await manager.setMany(orgIds.map((id) => ({ orgId: id, provider, apiKey })));
    if (turn % 5 === 2) return await manager.set(orgId, { provider, apiKey, region: null });
    return await manager.set(orgId, { provider, apiKey });
  };
  const changes = Array.from({ length: count }, async (_, turn) => {
    await change(turn).catch((error: unknown) => {
      if (!isByokError(error) || error.code !== "key_changed") throw error;
    });
  });
  await Promise.all(changes);
}

/** One state: what is stored is what the trail ends in, and every number of the log is one change of the trail. */
async function expectAgreement(store: KeyStore): Promise<void> {
  const seqs: number[] = [];
  for (const snapshot of await store.snapshots(orgIds)) {
    const trail: { readonly seq: number | null; readonly secretId: string | null }[] = [];
    for (let before: number | null = null; ; ) {
      const rows = await store.audit(snapshot.orgId, { before, limit: 200 });
      trail.push(...rows);
      const last = rows.at(-1);
      if (last === undefined) break;
      before = last.id;
    }
    const stored = snapshot.keys.map(({ secretId }) => secretId);
    expect(stored).toEqual(trail[0]?.secretId == null ? [] : [trail[0].secretId]);
    seqs.push(...trail.flatMap(({ seq }) => (seq === null ? [] : [seq])));
  }
  const logged: number[] = [];
  for (;;) {
    const { changes, head } = await store.poll({ after: logged.length });
    logged.push(...changes.map(({ seq }) => seq));
    if (logged.length === head) break;
  }
  expect(seqs.sort((a, b) => a - b)).toEqual(logged);
}

it("changes of every kind through two managers, and a third that is killed, leave one state that all agree on", async () => {
  await using own = await ownPostgresStore();
  const keyring = JSON.stringify(generateKeyring());
  const build = (): KeyManager => {
    return createKeyManager({ store: own.store, keyring: createKeyring(keyring), verify: "off", deadlineMs: 20_000 });
  };
  for (let round = 0; round < 3; round += 1) {
    const orders = JSON.stringify({ url: own.url, schema: own.schema, keyring, orgIds });
    const third = fork(join(import.meta.dirname, "manager-process.ts"), [orders], { execArgv: [] });
    const exited = once(third, "exit");
    let made = 0;
    third.on("message", () => {
      made += 1;
    });
    await waitFor(() => expect(made).toBeGreaterThan(0));
    const racing = makeChanges([build(), build()], 50);
    const before = made;
    await waitFor(() => expect(made).toBeGreaterThan(before + 5));
    third.kill("SIGKILL");
    expect((await exited)[1]).toBe("SIGKILL");
    await racing;
    // What the killed one had sent may commit between two of these reads.
    await waitFor(() => expectAgreement(own.store));
  }
}, 60_000);
