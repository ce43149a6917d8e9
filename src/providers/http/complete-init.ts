/**
 * The same request with everything said that fetch would otherwise read from what somebody has put on
 * `Object.prototype`: a referrer, a body, headers. What is given as `undefined` was not given.
 */
export function completeInit(input: string | URL | Request, given: RequestInit): RequestInit {
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { method, headers } = input instanceof Request ? input : { method: "GET", headers: {} };
  const defaults: RequestInit = { method, headers, body: null, referrer: "about:client", integrity: "", mode: "cors" };
  return { ...defaults, credentials: "same-origin", cache: "default", keepalive: false, signal: null, ...own };
}
