import { type Clock, systemClock } from "../clock.ts";
import { type BuiltinProvider, builtinProviders } from "../providers/builtin.ts";
import type { Provider } from "../providers/provider.ts";
import { CallResolver } from "./call-resolver.ts";
import type { Resolver } from "./resolver.ts";
import type { Clients, ExcludedBy, ResolverOptions } from "./resolver-options.ts";
import { parseSettings } from "./resolver-settings.ts";

type AnyOptions = ResolverOptions<Provider, Clients<Provider>>;

/**
 * Builds the one resolver that a call worker shares. Opens nothing and starts no timer until it is used.
 *
 * @throws ByokError `options_invalid`, or `key_malformed` for a platform key that cannot be one.
 *
 * @example
 * ```ts
 * import { createResolver, platformKeysFromEnv } from "byokit";
 *
 * const worker = createResolver({ store, keyring, platformKeys: platformKeysFromEnv() });
 * await worker.ready();
 * ```
 */
export function createResolver<P extends Provider = BuiltinProvider, const C extends Clients<P> = true>(
  options: ResolverOptions<P, C>,
): Resolver<P, ExcludedBy<P, C>>;
// The last one is what `ReturnType<typeof createResolver>` sees.
export function createResolver(options: ResolverOptions): Resolver;
export function createResolver(options: AnyOptions): Resolver<Provider> {
  return createResolverOn(systemClock, options);
}

/** `createResolver` on a clock of the caller's. Internal: for tests that decide what time it is. */
export function createResolverOn<P extends Provider = BuiltinProvider>(
  clock: Clock,
  options: ResolverOptions<P, Clients<P>>,
): Resolver<P> {
  const settings = parseSettings(options as AnyOptions, builtinProviders);
  return new CallResolver(clock, settings) as unknown as Resolver<P>;
}
