import type { AccountField } from "../../key-account.ts";
import type { Endpoint } from "../endpoint.ts";
import type { RefusalTable } from "../refusals/refusal.ts";

/** How a request shows its key: `{ name: "authorization", scheme: "Bearer" }`; without a scheme the key stands alone. */
export interface KeyHeader {
  /** Lower case. */
  readonly name: string;
  readonly scheme?: string;
}

/** The header that shows a field of a key's account. */
export type AccountHeaders = { readonly [Field in AccountField]?: string | undefined };

/**
 * How a request names what one account alone has: an earlier response, a file, a voice that was made. When its key is refused
 * it is never sent again with the key of another account.
 */
export interface AccountState {
  /** Of the URL's path and query. */
  readonly path?: RegExp;
  /** Of a body that is a text. */
  readonly body?: RegExp;
}

/** What a provider says of its requests. */
export interface Vendor {
  readonly id: string;
  /** The default host: SDKs and frameworks are built on it, and aimed at the one that serves. */
  readonly endpoint: Endpoint;
  /** Hosts that belong to {@link Vendor.endpoint} too. Elsewhere the serving host stands in for them. */
  readonly otherHosts?: readonly Endpoint[] | undefined;
  /** Hosts by region; a key stored with a region talks to that region's host only. Absent: the provider has none. */
  readonly regions?: Readonly<Record<string, Endpoint>> | undefined;
  /** @default { name: "authorization", scheme: "Bearer" } */
  readonly keyHeader?: KeyHeader | undefined;
  /**
   * Which fields of a key's account its requests show, and in which header, in lower case:
   * `{ organization: "openai-organization" }`. A key that is stored with another field is refused. Absent: with any.
   */
  readonly accountHeaders?: AccountHeaders | undefined;
  /**
   * The headers that its requests may carry beside those that every request may: in lower case, `x-stainless-*` for all that
   * begin with `x-stainless-`. Any other is taken off: it may be a credential of somebody else's.
   */
  readonly headers?: readonly string[] | undefined;
  /**
   * Paths whose POSTs may arrive twice, such as a generation's: one is sent again, once, when its connection was closed before
   * an answer. Absent: only what is safe by its method, or has an `idempotency-key`.
   */
  readonly repeatable?: RegExp | undefined;
  /**
   * Paths whose POSTs take an `idempotency-key`: each carries one, its own where the caller gave none, so that none is done
   * twice. Absent: only the caller's.
   */
  readonly idempotent?: RegExp | undefined;
  /** What names something that one account alone has. Absent: nothing does. */
  readonly accountState?: AccountState | undefined;
  /**
   * The provider's words for what it refuses: in answers, in the reason of a socket's close, and in a socket's texts where they are
   * JSON objects of at most 16 KB in which `error` or `Error` stands. Absent: a refusal is judged by its status alone.
   */
  readonly refusals?: RefusalTable | undefined;
}
