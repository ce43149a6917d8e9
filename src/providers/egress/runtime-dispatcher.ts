import type { Dispatcher } from "./head-guard.ts";

/** Where the runtime keeps the dispatcher of `fetch`; the application may have set it. It moved with undici 8. */
const place = Symbol.for(
  `undici.globalDispatcher.${Number.parseInt(process.versions["undici"] ?? "0", 10) >= 8 ? 2 : 1}`,
);

const loopback = /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?(?:\/|$)/u;

/** One that goes straight to its host, for each dispatcher of the application's that might not. */
const direct = new WeakMap<Dispatcher, Dispatcher>();

/** What sends a request to `url`: the dispatcher that the application has set, but never a proxy of the environment's to loopback. */
export function dispatcherFor(url: string): Dispatcher {
  const set = readGlobal();
  return loopback.test(url) ? withoutProxy(set) : set;
}

function readGlobal(): Dispatcher {
  const set = (globalThis as { [place]?: Dispatcher })[place];
  if (set !== undefined) return set;
  // The runtime makes it with the first use of anything of fetch's.
  void globalThis.Headers;
  return (globalThis as { [place]?: Dispatcher })[place] as Dispatcher;
}

function withoutProxy(set: Dispatcher): Dispatcher {
  if (set.constructor.name !== "EnvHttpProxyAgent") return set;
  let agent = direct.get(set);
  if (agent === undefined) {
    agent = new (set.constructor as new (options: object) => Dispatcher)({ noProxy: "*" });
    direct.set(set, agent);
  }
  return agent;
}
