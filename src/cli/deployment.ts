import { ByokError } from "../errors.ts";
import { createKeyring } from "../keyring/local-keyring.ts";
import { createKeyManager } from "../manager/create-key-manager.ts";
import type { KeyManager } from "../manager/key-manager.ts";
import type { KeyManagerOptions } from "../manager/manager-settings.ts";
import { builtinProviders } from "../providers/builtin.ts";
import { declareEndpoints, type EndpointOption } from "../providers/endpoints.ts";
import type { CacheFailure } from "../shared-cache/key-cache.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Environment } from "./environment.ts";
import { type OpenedCache, openCache } from "./open-cache.ts";
import { openStore } from "./open-store.ts";
import { readKeyring } from "./read-keyring.ts";
import { naming, readSetting } from "./read-setting.ts";

export interface Deployment extends AsyncDisposable {
  readonly store: KeyStore;
  readonly manager: KeyManager;
}

export interface DeploymentOptions {
  /** Whether keys are checked with their providers before they are stored. */
  readonly verify?: "reject-invalid" | "off";
  /** Told when something of Redis begins to fail. */
  readonly onCacheFailure?: (failure: CacheFailure) => void;
  /** Whether a SQLite file may be created, by the store's `migrate()`. Absent or `false`: it must be there. */
  readonly createsDatabase?: boolean;
  /** Told of stored keys that do not open. */
  readonly onEvent?: KeyManagerOptions["onEvent"];
}

/** @throws ByokError `options_invalid` */
export async function openDeployment(env: Environment, options: DeploymentOptions = {}): Promise<Deployment> {
  const keyringJson = readKeyring(env);
  const keyring = naming("BYOK_KEYRING", () => createKeyring(keyringJson));
  const endpoints = readEndpoints(env);
  const opened = await openStore(env, { creates: options.createsDatabase ?? false });
  let cache: OpenedCache | undefined;
  const close = async (): Promise<void> => {
    cache?.close();
    await opened.close();
  };
  try {
    const { store } = opened;
    const { onCacheFailure: onFailure } = options;
    cache = await openCache(env, onFailure);
    const shared = cache === undefined ? {} : { cache: cache.cache };
    const verify = options.verify ?? "reject-invalid";
    return {
      store,
      manager: createKeyManager({ store, keyring, endpoints, ...shared, verify, onEvent: options.onEvent }),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function readEndpoints(env: Environment): Readonly<Record<string, EndpointOption>> {
  const endpoints = parseEndpoints(env);
  const providers = new Map(builtinProviders.map((provider) => [provider.id, provider]));
  naming("BYOK_ENDPOINTS", () => declareEndpoints(endpoints, providers));
  return endpoints;
}

function parseEndpoints(env: Environment): Readonly<Record<string, EndpointOption>> {
  const given = readSetting({ BYOK_ENDPOINTS: env.BYOK_ENDPOINTS?.trim() }, "BYOK_ENDPOINTS");
  if (given === undefined) return {};
  try {
    const json: unknown = JSON.parse(given);
    if (typeof json === "object" && json !== null && !Array.isArray(json))
      return json as Record<string, EndpointOption>;
  } catch {
    // Said below.
  }
  throw new ByokError("options_invalid", 'BYOK_ENDPOINTS is no JSON object. Write it as {"openai": "https://…"}.');
}
