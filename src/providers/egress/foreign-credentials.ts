import { placeholderPrefix } from "./placeholder.ts";

/** Query parameters that vendors of voice take a credential from. */
const parameter =
  /^(?:token|key|jwt|secret|password|api[-_]?(?:key|token)|xi-api-key|access[-_]?token|auth(?:orization)?|client_secret|single_use_token)(?:\[\])?$/iu;

/** Subprotocols that carry a credential, because browsers can set no header. */
const protocol = /^(?:openai-(?:insecure-api-key|organization|project)\.|xai-client-secret\.)/iu;

/** Subprotocols whose next neighbour is a credential. */
const protocolBefore = /^(?:token|bearer)$/iu;

/** A query without the parameters that carry a credential. The others stay as they were written. */
export function dropCredentials(search: string): string {
  const parts = search.replace(/^\?/u, "").split("&");
  const kept = parts.filter((part) => !parameter.test(decodeName(part)) && !part.includes(placeholderPrefix));
  if (kept.length === parts.length) return search;
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

/** A URL whose query has no parameter that carries a credential. */
export function dropUrlCredentials(url: string): string {
  const search = /\?[^#]*/u.exec(url)?.[0];
  return search === undefined ? url : url.replace(search, () => dropCredentials(search));
}

/** Subprotocols without those that carry a credential. */
export function dropCredentialProtocols(protocols: readonly string[]): string[] {
  return protocols.filter((one, index) => {
    const isCredential = protocol.test(one) || protocolBefore.test(one) || one.includes(placeholderPrefix);
    return !isCredential && !protocolBefore.test(protocols[index - 1] ?? "");
  });
}

function decodeName(part: string): string {
  const [name = ""] = part.split("=", 1);
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
