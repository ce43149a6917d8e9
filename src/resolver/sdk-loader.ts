import { isByokError } from "../errors.ts";
import type { Provider } from "../providers/provider.ts";

/** Imports SDKs once per provider. A failed import is forgotten, so that it can be tried again. */
export class SdkLoader {
  readonly #loaded = new Map<string, { readonly sdk: unknown }>();
  readonly #loading = new Map<string, Promise<unknown>>();

  /** What is loaded; `undefined` while it is not. */
  peek(provider: Provider): { readonly sdk: unknown } | undefined {
    return this.#loaded.get(provider.id);
  }

  /** @throws ByokError `sdk_missing` with the install line. */
  async load(provider: Provider): Promise<unknown> {
    const loaded = this.#loaded.get(provider.id);
    if (loaded !== undefined) return loaded.sdk;
    let loading = this.#loading.get(provider.id);
    if (loading === undefined) {
      loading = (provider.load?.() ?? Promise.resolve(undefined)).finally(() => this.#loading.delete(provider.id));
      this.#loading.set(provider.id, loading);
    }
    const sdk = await loading;
    this.#loaded.set(provider.id, { sdk });
    return sdk;
  }

  /** Imports those that are installed; the others fail when a slot needs them. */
  async loadInstalled(providers: readonly Provider[]): Promise<void> {
    for (const provider of providers) {
      await this.load(provider).catch((error: unknown) => {
        if (!isByokError(error) || error.code !== "sdk_missing") throw error;
      });
    }
  }
}
