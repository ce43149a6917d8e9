import { ByokError } from "../errors.ts";
import { createKeyring } from "../keyring/local-keyring.ts";
import { createKeyManager } from "../manager/create-key-manager.ts";
import type { KeyManager } from "../manager/key-manager.ts";
import type { EndpointOption } from "../providers/endpoints.ts";
import type { CacheFailure } from "../shared-cache/key-cache.ts";
import type { KeyStore } from "../store/key-store.ts";
import { type OpenedCache, openCache } from "./open-cache.ts";
import { openStore } from "./open-store.ts";
import { readText } from "./read-text.ts";

/** Where the command line finds its database, its Redis and its keyring. */
export interface Environment {
  /** `postgres://…`, or the path of a SQLite file. @default "./byok.sqlite" */
  readonly BYOK_DATABASE_URL?: string | undefined;
  /** The Postgres schema of byokit's tables. Absent: the first one of the connection's path. */
  readonly BYOK_SCHEMA?: string | undefined;
  /** Absent: workers learn of a change from the database alone. */
  readonly BYOK_REDIS_URL?: string | undefined;
  /** The `prefix` of the workers' `redisCache`. @default "byok:" */
  readonly BYOK_REDIS_PREFIX?: string | undefined;
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
  /** Told when something of Redis begins to fail. */
  readonly onCacheFailure?: (failure: CacheFailure) => void;
}

/** @throws ByokError `options_invalid` */
export async function openDeployment(env: Environment, options: DeploymentOptions = {}): Promise<Deployment> {
  const keyring = createKeyring(readKeyringText(env));
  const endpoints = parseEndpoints(env);
  const opened = await openStore(env.BYOK_DATABASE_URL, env.BYOK_SCHEMA);
  let cache: OpenedCache | undefined;
  const close = async (): Promise<void> => {
    cache?.close();
    await opened.close();
  };
  try {
    const { store } = opened;
    const { onCacheFailure: onFailure } = options;
    cache = await openCache(env.BYOK_REDIS_URL, { prefix: env.BYOK_REDIS_PREFIX, onFailure });
    const shared = cache === undefined ? {} : { cache: cache.cache };
    const verify = options.verify ?? "reject-invalid";
    return {
      store,
      manager: createKeyManager({ store, keyring, endpoints, ...shared, verify }),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws ByokError `options_invalid` */
export function readKeyringText({ BYOK_KEYRING: given }: Environment): string {
  if (!given) {
    const next = "Make one with: byokit keyring create > keyring.json";
    throw new ByokError("options_invalid", `BYOK_KEYRING names no keyring: a file's path, or the JSON itself. ${next}`);
  }
  if (given.trimStart().startsWith("{")) return given;
  return readText(given, "that BYOK_KEYRING names");
}

function parseEndpoints({ BYOK_ENDPOINTS: given }: Environment): Readonly<Record<string, EndpointOption>> {
  if (!given) return {};
  try {
    const json: unknown = JSON.parse(given);
    if (typeof json === "object" && json !== null && !Array.isArray(json))
      return json as Record<string, EndpointOption>;
  } catch {
    // Said below.
  }
  throw new ByokError("options_invalid", 'BYOK_ENDPOINTS is no JSON object. Write it as {"openai": "https://…"}.');
}
