import { ByokError } from "../errors.ts";
import { text } from "../option-kinds.ts";
import { ownProperty } from "../own-property.ts";
import { type OptionRules, readOptions, required } from "../read-options.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Provider } from "./provider.ts";

/** A host that the operator declares for a provider. A string is its `baseUrl`; `websocketUrl` defaults to the same host. */
export type EndpointOption =
  | string
  | {
      readonly baseUrl: string;
      readonly websocketUrl?: string | undefined;
      readonly region?: string | undefined;
    };

export interface DeclaredEndpoint extends Endpoint {
  readonly region: string | null;
}

/** Operators' hosts by provider, checked. An option that is spelt out as `undefined` is one that was left out. */
export function declareEndpoints(
  endpoints: Readonly<Record<string, EndpointOption | undefined>>,
  providers: ReadonlyMap<string, Provider>,
): ReadonlyMap<string, DeclaredEndpoint> {
  const declared = new Map<string, DeclaredEndpoint>();
  for (const [id, option] of Object.entries(endpoints)) {
    if (option === undefined) continue;
    if (!providers.has(id)) {
      const message = `"endpoints" names "${id}", which is not among the providers. Correct it.`;
      throw new ByokError("options_invalid", message);
    }
    declared.set(id, declareEndpoint(id, option));
  }
  return declared;
}

const rules: OptionRules<Exclude<EndpointOption, string>> = {
  baseUrl: required(text),
  websocketUrl: text,
  region: text,
};

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/u;

/** @throws ByokError `options_invalid` unless it is `https`/`wss`, or `http`/`ws` on loopback, without credentials, query or fragment. */
function declareEndpoint(provider: string, option: EndpointOption): DeclaredEndpoint {
  const given = typeof option === "string" ? { baseUrl: option } : option;
  const { baseUrl, websocketUrl, region } = readOptions(`endpoints.${provider}`, given, rules);
  const base = parseUrl(provider, baseUrl, "http");
  const websocket = websocketUrl === undefined ? base.replace(/^http/u, "ws") : parseUrl(provider, websocketUrl, "ws");
  return { baseUrl: base, websocketUrl: websocket, region: region ?? null };
}

/**
 * The one host that a key may travel to. `undefined`: the provider has no such region, and no host is guessed.
 */
export function findEndpoint(
  provider: Provider,
  region: string | null,
  declared: DeclaredEndpoint | undefined,
): Endpoint | undefined {
  if (region === null) return declared ?? provider.endpoint;
  if (declared?.region === region) return declared;
  const regions = ownProperty(provider, "regions") ?? {};
  return Object.hasOwn(regions, region) ? regions[region] : undefined;
}

function parseUrl(provider: string, text: string, scheme: "http" | "ws"): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSecure = url?.protocol === `${scheme}s:`;
  const isLocal = url?.protocol === `${scheme}:` && loopback.test(url.hostname);
  if (url !== undefined && (isSecure || isLocal) && !url.username && !url.password && !url.search && !url.hash) {
    return url.href.replace(/\/$/u, "");
  }
  throw new ByokError(
    "options_invalid",
    `The endpoint of "${provider}" must be a ${scheme}s URL (${scheme} on loopback only) without credentials, query or fragment. Correct the option.`,
    { provider },
  );
}
