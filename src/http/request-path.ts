/** The path of a request as it is routed and logged: one slash at its end says nothing. */
export function readRequestPath({ url }: Request): string {
  const { pathname } = new URL(url);
  return pathname.length > 1 && pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
}
