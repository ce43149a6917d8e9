import { type ByokError, isByokError } from "../errors.ts";
import { importOwn } from "../explain-import.ts";
import type { Provider } from "../providers/provider.ts";

/** Imports and proves SDKs once per provider. A failed import is forgotten, so that it can be tried again. */
export class SdkLoader {
  readonly #loaded = new Map<string, { readonly sdk: unknown }>();
  readonly #loading = new Map<string, Promise<unknown>>();

  /** What is loaded; `undefined` while it is not. */
  peek(provider: Provider): { readonly sdk: unknown } | undefined {
    return this.#loaded.get(provider.id);
  }

  /** @throws ByokError `sdk_missing` or `sdk_unsupported`, each with the install line; `import_failed`. */
  async load(provider: Provider): Promise<unknown> {
    const loaded = this.#loaded.get(provider.id);
    if (loaded !== undefined) return loaded.sdk;
    let loading = this.#loading.get(provider.id);
    if (loading === undefined) {
      loading = this.#prove(provider).finally(() => this.#loading.delete(provider.id));
      this.#loading.set(provider.id, loading);
    }
    const sdk = await loading;
    this.#loaded.set(provider.id, { sdk });
    return sdk;
  }

  async #prove(provider: Provider): Promise<unknown> {
    const { loadProven } = await importOwn(() => import("../providers/canary/prove-sdk.ts"));
    return await loadProven(provider);
  }

  /** Imports those that are installed and proven; the others fail when a slot needs them. */
  async loadInstalled(providers: readonly Provider[]): Promise<void> {
    const loads = providers.map((provider) =>
      this.load(provider).catch((error: unknown) => {
        if (!isMissingSdk(error)) throw error;
      }),
    );
    await Promise.all(loads);
  }
}

/** Whether a provider has no SDK that can be used; others go on without it. */
export function isMissingSdk(error: unknown): error is ByokError {
  return isByokError(error) && (error.code === "sdk_missing" || error.code === "sdk_unsupported");
}
