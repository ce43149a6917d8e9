import { deepgramDouble } from "./deepgram-double.ts";
import type { Double, DoubleId, Grant, Misbehaviour, RecordedRequest } from "./double.ts";
import { type Certificate, DoubleServer } from "./double-server.ts";
import { elevenlabsDouble } from "./elevenlabs-double.ts";
import type { Fault } from "./fault.ts";
import { openaiDouble } from "./openai-double.ts";
import { resendDouble } from "./resend-double.ts";
import { xaiDouble } from "./xai-double.ts";

export interface ProviderDoublesOptions {
  /** Keys that are accepted from the start. */
  readonly keys?: { readonly [Id in DoubleId]?: readonly string[] };
  /** Serves `https` and `wss` with this certificate. @default plain `http` and `ws` */
  readonly tls?: Certificate;
}

export interface ProviderDoubles extends AsyncDisposable {
  /** Pass it as `ResolverOptions.endpoints`. */
  readonly endpoints: Readonly<Record<DoubleId, { readonly baseUrl: string; readonly websocketUrl: string }>>;
  /** What arrived, oldest first; the last 10,000. */
  readonly requests: readonly RecordedRequest[];
  accept(provider: DoubleId, key: string, grant?: Grant): void;
  revoke(provider: DoubleId, key: string): void;
  /** What drops sockets cuts those that are open as well. */
  behave(provider: DoubleId, misbehaviour: Misbehaviour | null): void;
  /**
   * Makes requests of one provider fail: from which on, how many, with what status, headers and body, or how else.
   * Returns how to end it.
   *
   * @throws TypeError when it is not told how, or in more ways than one
   */
  fail(fault: Fault): () => void;
  /** Forgets what arrived. */
  clear(): void;
  /** Always ends: what is in the middle of something is cut. */
  close(): Promise<void>;
}

const maxRequests = 10_000;
const doubles: readonly Double[] = [deepgramDouble, openaiDouble, elevenlabsDouble, xaiDouble, resendDouble];

/**
 * Starts strict stand-ins of all five providers on loopback ports of their own: they read the key where the real service
 * reads it, refuse a wrong one with the real service's status and body, and answer in its shapes. What they transcribe,
 * write and say is made up.
 *
 * @example
 * ```ts
 * import { createResolver } from "byokit";
 * import { startProviderDoubles } from "byokit/testing";
 *
 * await using doubles = await startProviderDoubles({ keys: { openai: [apiKey] } });
 * const worker = createResolver({ store, keyring, endpoints: doubles.endpoints });
 * ```
 */
export async function startProviderDoubles({ keys = {}, tls }: ProviderDoublesOptions = {}): Promise<ProviderDoubles> {
  const requests: RecordedRequest[] = [];
  const record = (request: RecordedRequest): void => {
    requests.push(request);
    if (requests.length > maxRequests) requests.shift();
  };
  const servers = new Map(doubles.map((double) => [double.id, new DoubleServer(double, record, tls)]));
  const server = (provider: DoubleId): DoubleServer => {
    const found = servers.get(provider);
    if (found === undefined) throw new TypeError(`There is no double of "${provider}".`);
    return found;
  };
  for (const [id, accepted] of Object.entries(keys) as [DoubleId, readonly string[]][]) {
    for (const key of accepted) server(id).keys.set(key, {});
  }
  const addresses = await Promise.all([...servers].map(async ([id, one]) => [id, await one.listen()] as const));
  const close = async (): Promise<void> => void (await Promise.all([...servers.values()].map((one) => one.close())));
  return {
    endpoints: Object.fromEntries(addresses) as ProviderDoubles["endpoints"],
    requests,
    accept: (provider, key, grant = {}) => void server(provider).keys.set(key, grant),
    revoke: (provider, key) => void server(provider).keys.delete(key),
    behave: (provider, misbehaviour) => server(provider).behave(misbehaviour),
    fail: (fault) => server(fault.provider).fail(fault),
    clear: () => void requests.splice(0),
    close,
    [Symbol.asyncDispose]: close,
  };
}
