import type { AccountState } from "./vendor.ts";

/** Whether a request names what one account alone has. A body counts where it is a text, or the bytes of one. */
export function namesAccountState(state: AccountState | undefined, url: string, body: unknown): boolean {
  if (state === undefined) return false;
  const { pathname, search } = new URL(url);
  return (state.path?.test(`${pathname}${search}`) ?? false) || (state.body?.test(readText(body)) ?? false);
}

function readText(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof ArrayBuffer) return new TextDecoder().decode(body);
  return ArrayBuffer.isView(body) ? new TextDecoder().decode(body as Uint8Array) : "";
}
