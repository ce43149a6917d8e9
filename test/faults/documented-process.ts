/** A worker and a manager on the store of docs/scaling.md's own lines, under steady load. Tells its parent what became of it. */
import { createKeyManager, createKeyring, createResolver, generateKeyring, isByokError } from "../../src/index.ts";
import type { KeyStore } from "../../src/store/key-store.ts";
import { ada } from "../support/ada.ts";

export interface Told {
  /** When the call began, in milliseconds since the epoch. */
  readonly begunAtMs: number;
  /** "ok", or the code that it failed with. */
  readonly outcome: string;
  readonly warnings: readonly string[];
}

const { store } = (await import(process.argv[2] ?? "")) as { readonly store: KeyStore };
const keyring = createKeyring(generateKeyring());
const manager = createKeyManager({ store, keyring, providers: [ada], verify: "off" });
const resolver = createResolver({ store, keyring, providers: [ada], platformKeys: { ada: "platform-key" } });
await resolver.ready();
let calls = 0;
setInterval(async () => {
  const begunAtMs = Date.now();
  const number = calls++;
  // An organisation that was never asked for has to be read, and every tenth call is a change.
  const call =
    number % 10 === 0
      ? manager.set(`org-${number}`, { provider: "ada", apiKey: "a-key-of-the-test" })
      : resolver.client(`org-${number}`, "ada");
  const outcome = await call.then(
    () => "ok",
    (error: unknown) => (isByokError(error) ? error.code : "no ByokError"),
  );
  if (process.connected) process.send?.({ begunAtMs, outcome, warnings: resolver.health().warnings } satisfies Told);
}, 20);
process.on("disconnect", () => process.exit());
