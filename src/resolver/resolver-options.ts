import type { Keyring } from "../keyring/keyring.ts";
import type { BuiltinProvider } from "../providers/builtin.ts";
import type { EndpointOption } from "../providers/endpoints.ts";
import type { Provider } from "../providers/provider.ts";
import type { KeyCache } from "../shared-cache/key-cache.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { FallbackPolicy } from "./fallback-policy.ts";
import type { ResolverEvent } from "./resolver-event.ts";

/** Which providers' slots get the vendor's client. */
export type Clients<P extends Provider = BuiltinProvider> = boolean | readonly P["id"][];

/** The providers that `clients` leaves out. */
export type ExcludedBy<P extends Provider, C> = C extends true
  ? never
  : C extends false
    ? P["id"]
    : C extends readonly (infer Id)[]
      ? Exclude<P["id"], Id>
      : never;

/** What a call worker builds once. */
export interface ResolverOptions<P extends Provider = BuiltinProvider, C extends Clients<P> = true> {
  /** Where the organisations' keys rest. The caller closes it, after the resolver. */
  readonly store: KeyStore;
  /** Opens them. A worker never seals. */
  readonly keyring: Keyring;
  /**
   * The platform's own keys. Never read from the environment unless the caller says so: `platformKeysFromEnv()`.
   * `undefined` and the empty text, as an environment variable that is not set may be, are no key.
   */
  readonly platformKeys?: { readonly [Id in P["id"]]?: string | undefined } | undefined;
  /**
   * A cache that workers share: `redisCache()` of `byokit/redis`. It makes changes known in milliseconds and spares the
   * database. Absent: the worker still remembers, and learns of changes from the database alone.
   */
  readonly cache?: KeyCache | undefined;
  /** @default builtinProviders */
  readonly providers?: readonly P[] | undefined;
  /**
   * Hosts that the operator declares: a self-hosted Deepgram, an egress proxy. `https`, or `http` on loopback. A key
   * that is stored with a region ignores an endpoint that does not name that region. For a private certificate authority
   * set NODE_EXTRA_CA_CERTS.
   */
  readonly endpoints?: { readonly [Id in P["id"]]?: EndpointOption | undefined } | undefined;
  /** What happens when an organisation's own key cannot serve a slot. @default { absent: "platform" }, all else "fail" */
  readonly fallback?: FallbackPolicy | undefined;
  /**
   * The providers whose slots have the vendor's client: `ready()` imports their SDKs, `resolve()` those that are missing yet.
   * `false`, or leaving one out, spares its SDK, for workers that use `fetch`, `WebSocket`, `agent` or `credential`: ElevenLabs'
   * costs two seconds and 139 MB of memory. `true`: every provider; those whose SDK is not installed fail when a slot needs
   * them.
   * @default true
   */
  readonly clients?: C | undefined;
  /** The longest that one `resolve()` takes. @default 2_000 */
  readonly deadlineMs?: number | undefined;
  /**
   * Of built clients: the longest until an answer begins, retries included, and for each pending read of its body.
   * A provider that stays silent longer ends the request with `request_timeout`. Deepgram's and ElevenLabs' clients
   * retry only where a request asks for it (`maxRetries`), and those retries come on top. Of websockets it bounds the
   * opening by `connect()`; those that an SDK opens have the SDK's own time-outs.
   * @default 60_000
   */
  readonly requestTimeoutMs?: number | undefined;
  /** The longest that a removed key is handed out by a worker that can reach the database. @default 10_000 */
  readonly leaseMs?: number | undefined;
  /** How often the change log is read; at most half of `leaseMs`, or one slow poll would end the lease. @default 2_500, or a quarter of `leaseMs` where that is less */
  readonly pollMs?: number | undefined;
  /**
   * How long past its lease a known key is still handed out while the database does not answer. What it buys in calls
   * it costs in revocation: a removed key may live that much longer.
   * @default 0
   */
  readonly serveStaleMs?: number | undefined;
  /**
   * How long past its lease the absence of a key is still believed while the database does not answer: the platform
   * serves the slot meanwhile, marked `stale`.
   * @default 900_000
   */
  readonly absentStaleMs?: number | undefined;
  /**
   * How long past its lease a slot that a call holds goes on with its key while the database does not answer: an outage hangs
   * up no call. Never past a change that is known. 0: a call's requests fail then as new calls do.
   * @default 900_000
   */
  readonly callStaleMs?: number | undefined;
  /**
   * How long a socket that a customer's key has opened stays open once that key is removed. A replaced key closes none: the
   * slot's `signal` tells of it.
   * @default 0
   */
  readonly socketGraceMs?: number | undefined;
  /** The most organisations that are held in memory. @default 10_000 */
  readonly maxOrgs?: number | undefined;
  /**
   * A proxy that sockets leave by, with `CONNECT`: `"http://user:password@proxy.example:3128"`. Loopback is reached without
   * it. HTTP requests leave by the application's dispatcher (`setGlobalDispatcher`, `NODE_USE_ENV_PROXY`). @default none
   */
  readonly proxy?: string | undefined;
  /** Called for what should be counted. What it throws, or rejects with, is ignored. */
  readonly onEvent?: ((event: ResolverEvent) => unknown) | undefined;
}
