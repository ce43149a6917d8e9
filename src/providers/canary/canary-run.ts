import { importOwn } from "../../explain-import.ts";
import { nodeCrypto } from "../../node-crypto.ts";
import { Secret } from "../../secret.ts";
import { type Egress, SlotEgress } from "../egress/egress.ts";
import { type KeySupply, type ServingKey, supplyOf } from "../egress/key-supply.ts";
import { loadWs } from "../egress/load-ws.ts";
import { createPlaceholder } from "../egress/placeholder.ts";
import { dispatcherFor } from "../egress/runtime-dispatcher.ts";
import type { Provider } from "../provider.ts";
import type { Canary, CanaryStep } from "./canary.ts";
import { type CanaryArrival, CanaryListener } from "./canary-listener.ts";
import { holdsAny, readPlatformSecrets } from "./platform-secrets.ts";

/** The longest that a canary may take, in milliseconds. */
const defaultLimitMs = 10_000;

/** Nothing can be said of the SDK: a plain request to the listener did not arrive either, or it may not be opened. */
export class CannotProve extends Error {}

/** What is wrong with an SDK, as the end of a sentence that begins with its name: `sends no upload through byokit`. */
export class Unproven extends Error {
  /** Whether the canary's time ended first: a process that is busy may do better the next time. */
  readonly isLate: boolean;

  constructor(finding: string, isLate = false) {
    super(finding);
    this.isLate = isLate;
  }
}

/**
 * Has a client of `loaded` do every step of its canary, against a listener on loopback, on keys that change with every
 * request.
 *
 * @throws Unproven, CannotProve
 */
export async function runCanary(
  provider: Provider,
  canary: Canary,
  loaded: unknown,
  limitMs: number = defaultLimitMs,
): Promise<void> {
  const arrivals: CanaryArrival[] = [];
  let run: CanaryRun | undefined;
  const listener = await CanaryListener.open((arrival) => {
    arrivals.push(arrival);
    run?.onArrival(arrival);
  }).catch(() => {
    throw new CannotProve();
  });
  try {
    const url = `http://127.0.0.1:${listener.port}/`;
    // As a slot's requests go to loopback: past a proxy that the environment names.
    const init = { signal: AbortSignal.timeout(limitMs), dispatcher: dispatcherFor(url) };
    await globalThis.fetch(url, init as RequestInit).catch(() => {});
    if (arrivals.length === 0) throw new CannotProve();
    run = new CanaryRun(provider, listener, limitMs);
    await run.run(canary, loaded);
  } finally {
    await listener.close();
  }
}

class CanaryRun {
  readonly #provider: Provider;
  readonly #listener: CanaryListener;
  readonly #limitMs: number;
  readonly #placeholder = createPlaceholder();
  readonly #platform = readPlatformSecrets();
  readonly #usedKeys: string[] = [];
  readonly #aborting = new AbortController();
  #serving: ServingKey;
  #arrived = 0;
  /** The first thing that was wrong; the canary goes on to its end no further than its step's. */
  #finding: string | undefined;

  constructor(provider: Provider, listener: CanaryListener, limitMs: number) {
    this.#limitMs = limitMs;
    this.#provider = provider;
    this.#listener = listener;
    this.#serving = this.#changeKey();
  }

  async run(canary: Canary, loaded: unknown): Promise<void> {
    const ws = await importOwn(loadWs);
    const egress = this.#makeEgress(ws);
    let client: unknown;
    try {
      client = this.#provider.connect(egress, loaded);
    } catch {
      throw new Unproven("builds no client as byokit asks for one");
    }
    if (holdsAny(client, this.#platform)) throw new Unproven("puts credentials of the environment into its client");
    const timer = setTimeout(() => this.#aborting.abort(), this.#limitMs);
    try {
      for (const step of canary.steps) {
        if (ws !== undefined || step.needsWs !== true) await this.#take(step, client, egress, loaded);
      }
    } finally {
      clearTimeout(timer);
      this.#aborting.abort();
    }
    if (holdsAny(client, this.#usedKeys)) throw new Unproven("keeps a key that was meant for one request");
  }

  onArrival({ url, headers }: CanaryArrival): void {
    this.#arrived += 1;
    const { name, scheme } = this.#provider.keyHeader ?? { name: "authorization", scheme: "Bearer" };
    const key = this.#serving.key.reveal();
    const sent = [url, ...Object.values(headers)].join("\n");
    if (headers[name] !== (scheme === undefined ? key : `${scheme} ${key}`)) this.#note("without the key that serves");
    else if (headers.host !== new URL(this.#serving.baseUrl).host) this.#note("to another host");
    else if (sent.includes(this.#placeholder)) this.#note("with its placeholder");
    else if (this.#platform.some((secret) => sent.includes(secret))) this.#note("with credentials of the environment");
    this.#serving = this.#changeKey();
  }

  async #take(step: CanaryStep, client: unknown, egress: Egress, loaded: unknown): Promise<void> {
    const before = this.#arrived;
    const { signal } = this.#aborting;
    this.#listener.answer = step.answer ?? { type: "application/json", body: "{}" };
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    const work = (async () => await step.run(client, { egress, loaded, signal }))().catch(() => {});
    await Promise.race([work, ended]);
    if (this.#finding !== undefined) throw new Unproven(`sends ${step.sends} ${this.#finding}`);
    if (this.#arrived - before >= (step.arrivals ?? 1)) return;
    throw new Unproven(`does not send ${step.sends} through byokit`, signal.aborted);
  }

  #note(finding: string): void {
    this.#finding ??= finding;
  }

  /** A key for one request: what is kept from the last one would arrive with the next. */
  #changeKey(): ServingKey {
    const key = `canary-${nodeCrypto().randomUUID()}`;
    this.#usedKeys.push(key);
    const at = (scheme: string, path: string): string => `${scheme}://127.0.0.1:${this.#listener.port}${pathOf(path)}`;
    const { baseUrl, websocketUrl } = this.#provider.endpoint;
    const endpoint = { baseUrl: at("http", baseUrl), websocketUrl: at("ws", websocketUrl) };
    return { ...endpoint, key: new Secret(key), region: null, account: null, source: "byok", secretId: key };
  }

  /** The way out of a real slot, but for the vendor's hosts: what goes round byokit arrives here too, with no key. */
  #makeEgress(ws: Awaited<ReturnType<typeof loadWs>>): Egress {
    const { baseUrl, websocketUrl } = this.#serving;
    const secure = { baseUrl: baseUrl.replace(/^http/u, "https"), websocketUrl: websocketUrl.replace(/^ws/u, "wss") };
    const vendor = { ...this.#provider, endpoint: { baseUrl, websocketUrl }, otherHosts: [], regions: { secure } };
    const supply: KeySupply = {
      ...supplyOf(this.#serving),
      peek: () => this.#serving,
      decide: async () => this.#serving,
    };
    const placeholder = this.#placeholder;
    const egress = new SlotEgress({ vendor, supply, placeholder, requestTimeoutMs: this.#limitMs, ws });
    const send = egress.fetch;
    const watched: typeof fetch = async (input, init) => {
      this.#watchGiven(new Headers(input instanceof Request ? input.headers : (init?.headers ?? {})));
      return await send(input, init);
    };
    return Object.defineProperty(egress, "fetch", { value: watched });
  }

  /** The SDK knows of no credential but the placeholder. What else it puts there, it has from elsewhere. */
  #watchGiven(given: Headers): void {
    const shown = given.get((this.#provider.keyHeader ?? { name: "authorization" }).name);
    if (shown !== null && !shown.includes(this.#placeholder)) this.#note("with a credential of its own");
  }
}

function pathOf(url: string): string {
  return new URL(url).pathname.replace(/\/$/u, "");
}
