import type { AccountState } from "./vendor.ts";

/** What of a request says what it asks for. */
export interface AskedFor {
  readonly url: string;
  readonly headers?: RequestInit["headers"];
  readonly body?: unknown;
}

/**
 * Whether a request names what one account alone has. A body counts where it is a text, the bytes of one, or a form; of JSON
 * that cannot be read without being drawn from, as in a stream, it is taken that it may.
 */
export function namesAccountState(state: AccountState | undefined, { url, headers, body }: AskedFor): boolean {
  if (state === undefined) return false;
  const { pathname, search } = new URL(url);
  if (state.path?.test(`${pathname}${search}`)) return true;
  if (state.body === undefined || body === null || body === undefined) return false;
  const text = readText(body);
  return text === undefined ? isJson(headers, body) : state.body.test(text);
}

/** `undefined`: it is not at hand. */
function readText(body: unknown): string | undefined {
  if (typeof body === "string") return body;
  if (body instanceof ArrayBuffer) return new TextDecoder().decode(body);
  if (ArrayBuffer.isView(body)) return new TextDecoder().decode(body as Uint8Array);
  if (body instanceof FormData || body instanceof URLSearchParams) return JSON.stringify(Object.fromEntries(body));
  return undefined;
}

function isJson(headers: AskedFor["headers"], body: unknown): boolean {
  const type = new Headers(headers).get("content-type") ?? (body instanceof Blob ? body.type : "");
  return /\bjson\b/iu.test(type);
}
