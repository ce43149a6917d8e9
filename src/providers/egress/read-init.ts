/**
 * What `fetch` was given, with everything said that it would otherwise read from what somebody has put on
 * `Object.prototype`: a referrer, a body, headers. What is given as `undefined` was not given. A `Request` is taken apart
 * rather than passed on: it has a URL that may not be the one that serves.
 */
export function readInit(input: string | URL | Request, given: RequestInit): RequestInit {
  const init: RequestInit = {
    method: "GET",
    headers: {},
    body: null,
    signal: null,
    referrer: "about:client",
    referrerPolicy: "",
    integrity: "",
    mode: "cors",
    credentials: "same-origin",
    cache: "default",
    keepalive: false,
  };
  if (input instanceof Request) {
    const { method, headers, body, signal } = input;
    Object.assign(init, { method, headers, signal }, body === null ? {} : { body, duplex: "half" });
  }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) Reflect.set(init, name, value);
  return init;
}
