import { existsSync, readFileSync } from "node:fs";
import type { KeyCache } from "../cache/key-cache.ts";
import { ByokError } from "../errors.ts";
import { createKeyManager } from "../manager/create-key-manager.ts";
import type { KeyManager } from "../manager/key-manager.ts";
import type { EndpointOption } from "../providers/endpoints.ts";
import type { KeyStore } from "../vault/key-store.ts";
import { createKeyring } from "../vault/local-keyring.ts";
import { openCache } from "./open-cache.ts";
import { openStore } from "./open-store.ts";

/** Where the command line finds its database, its Redis and its keyring. */
export interface Environment {
  /** `postgres://…`, or the path of a SQLite file. @default "./byok.sqlite" */
  readonly BYOK_DATABASE_URL?: string | undefined;
  /** Absent: workers learn of a change from the database alone. */
  readonly BYOK_REDIS_URL?: string | undefined;
  /** The path of a file, or the JSON itself. */
  readonly BYOK_KEYRING?: string | undefined;
  /** Hosts that the operator declares, as JSON: `{ "openai": "https://proxy.example/v1" }`. */
  readonly BYOK_ENDPOINTS?: string | undefined;
}

export interface Deployment extends AsyncDisposable {
  readonly store: KeyStore;
  readonly manager: KeyManager;
}

export interface DeploymentOptions {
  /** Whether keys are checked with their providers before they are stored. */
  readonly verify?: "reject-invalid" | "off";
}

/** @throws ByokError `options_invalid` */
export async function openDeployment(env: Environment, options: DeploymentOptions = {}): Promise<Deployment> {
  const keyring = createKeyring(keyringText(env));
  const endpoints = endpointsOf(env);
  const opened = await openStore(env.BYOK_DATABASE_URL);
  const cache = await openCache(env.BYOK_REDIS_URL);
  const { store } = opened;
  const shared: { readonly cache?: KeyCache } = cache === undefined ? {} : { cache: cache.cache };
  return {
    store,
    manager: createKeyManager({ store, keyring, endpoints, ...shared, verify: options.verify ?? "reject-invalid" }),
    async [Symbol.asyncDispose]() {
      cache?.close();
      await opened.close();
    },
  };
}

/** @throws ByokError `options_invalid` */
export function keyringText({ BYOK_KEYRING: given }: Environment): string {
  if (!given) {
    const next = "Make one with: byokit keyring create > keyring.json";
    throw new ByokError("options_invalid", `BYOK_KEYRING names no keyring: a file's path, or the JSON itself. ${next}`);
  }
  if (given.trimStart().startsWith("{")) return given;
  if (existsSync(given)) return readFileSync(given, "utf8");
  throw new ByokError("options_invalid", "The file that BYOK_KEYRING names is not there. Correct the path.");
}

function endpointsOf({ BYOK_ENDPOINTS: given }: Environment): Readonly<Record<string, EndpointOption>> {
  if (!given) return {};
  try {
    return JSON.parse(given) as Readonly<Record<string, EndpointOption>>;
  } catch {
    throw new ByokError("options_invalid", 'BYOK_ENDPOINTS is not JSON. Write it as {"openai": "https://…"}.');
  }
}
