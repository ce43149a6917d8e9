import type { Dispatcher } from "./head-guard.ts";

/**
 * The members of `RequestInit`, each as it is where it was not given, the runtime's own among them. Inherits nothing: `fetch`
 * would read what somebody has put on `Object.prototype`, a body or a dispatcher.
 */
export class SentInit {
  method = "GET";
  headers: RequestInit["headers"] | undefined = undefined;
  body: RequestInit["body"] = null;
  signal: AbortSignal | null = null;
  dispatcher: Dispatcher | undefined = undefined;
  redirect = "manual" as const;
  referrer = "";
  referrerPolicy = "" as const;
  integrity = "";
  mode = "cors" as const;
  credentials = "same-origin" as const;
  cache = "default" as const;
  keepalive = false;
  duplex = "half" as const;
  window = null;
}
Object.setPrototypeOf(SentInit.prototype, null);

/**
 * What `fetch` was given, with everything else said. What is given as `undefined` was not given. A `Request` is taken apart
 * rather than passed on: it has a URL that may not be the one that serves.
 */
export function readInit(input: string | URL | Request, given: RequestInit): SentInit {
  const init = new SentInit();
  if (input instanceof Request) {
    const { method, headers, body, signal } = input;
    Object.assign(init, { method, headers, signal, body });
  }
  for (const name of Object.keys(given)) {
    const value: unknown = Reflect.get(given, name);
    if (value !== undefined && name !== "redirect") Reflect.set(init, name, value);
  }
  return init;
}
