import type { Agent, IncomingMessage } from "node:http";
import type { ByokError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import type { Endpoint } from "../endpoint.ts";
import { Aim } from "./aim.ts";
import type { EgressProxy } from "./egress-proxy.ts";
import { explainHandshake } from "./explain-handshake.ts";
import type { KeySupply } from "./key-supply.ts";
import { RequestFailures } from "./request-failures.ts";
import { HeaderRules } from "./request-headers.ts";
import { createSlotAgent } from "./slot-agent.ts";
import { createSlotFetch } from "./slot-fetch.ts";
import { createSlotWebSocket, type SlotWebSocketClass, type WsModule } from "./slot-websocket.ts";
import type { Vendor } from "./vendor.ts";

/**
 * A slot's way out. What is built with it holds a placeholder; the key that serves is put in as each request leaves, to its
 * own host only. So an SDK of any kind is built on `baseUrl`, `placeholder` and one of the three.
 */
export interface Egress extends Endpoint {
  /** Whose slot it is; `undefined` of a key that is only checked. */
  readonly orgId: string | undefined;
  /** Stands where an SDK wants a key: random, and no key of anybody's. */
  readonly placeholder: string;
  readonly fetch: typeof fetch;
  /** For what takes a WebSocket class, in the form of `ws` or of browsers. Its constructor never throws. */
  readonly WebSocket: SlotWebSocketClass;
  /** For what takes a Node agent and builds its requests and sockets itself; asked at every reconnect. */
  readonly agent: Agent;
  /** See `ResolverOptions.requestTimeoutMs`. */
  readonly requestTimeoutMs: number;
  /**
   * The key that serves now, for what verifies with it and sends it nowhere.
   *
   * @throws ByokError why no key serves.
   */
  decideKey(): Promise<Secret>;
  /** Why the provider refuses a socket, from its answer to the handshake. Never rejects. */
  explainHandshake(answer: IncomingMessage): Promise<ByokError>;
}

export interface EgressOptions {
  readonly vendor: Vendor;
  readonly supply: KeySupply;
  readonly placeholder: string;
  readonly requestTimeoutMs: number;
  /** Whether keys are taken out of answers: not where an answer is judged rather than shown. @default true */
  readonly scrubs?: boolean;
  /** `undefined`: `ws` is not installed. */
  readonly ws: WsModule | undefined;
  /** What sockets leave by. Absent: they go straight to their hosts. */
  readonly proxy?: EgressProxy | undefined;
}

/** Each part is made when it is first asked for: most slots use one. */
export class SlotEgress implements Egress {
  readonly orgId: string | undefined;
  readonly placeholder: string;
  readonly baseUrl: string;
  readonly websocketUrl: string;
  readonly requestTimeoutMs: number;
  readonly #options: EgressOptions;
  #fetch: typeof fetch | undefined;
  #agent: Agent | undefined;
  #WebSocket: SlotWebSocketClass | undefined;

  constructor(options: EgressOptions) {
    const { vendor, placeholder, requestTimeoutMs } = options;
    this.#options = options;
    this.orgId = options.supply.orgId;
    this.placeholder = placeholder;
    this.baseUrl = vendor.endpoint.baseUrl;
    this.websocketUrl = vendor.endpoint.websocketUrl;
    this.requestTimeoutMs = requestTimeoutMs;
  }

  get fetch(): typeof fetch {
    const { vendor, supply, requestTimeoutMs, scrubs = true } = this.#options;
    this.#fetch ??= createSlotFetch({
      scrubs,
      failures: this.#failures(),
      supply,
      requestTimeoutMs,
      ...rulesOf(vendor),
      vendor,
    });
    return this.#fetch;
  }

  get agent(): Agent {
    const { vendor, supply, requestTimeoutMs, proxy } = this.#options;
    this.#agent ??= createSlotAgent({
      failures: this.#failures(),
      supply,
      requestTimeoutMs,
      proxy,
      ...rulesOf(vendor),
      vendor,
    });
    return this.#agent;
  }

  get WebSocket(): SlotWebSocketClass {
    this.#WebSocket ??= createSlotWebSocket(this.#options.ws, this.#options.vendor.id, this);
    return this.#WebSocket;
  }

  async explainHandshake(answer: IncomingMessage): Promise<ByokError> {
    const { vendor, supply } = this.#options;
    const { statusCode = 0 } = answer;
    if (statusCode >= 300 && statusCode < 400) return this.#failures().redirected();
    return await explainHandshake(answer, vendor, { orgId: supply.orgId, slot: supply.slot });
  }

  async decideKey(): Promise<Secret> {
    const { supply } = this.#options;
    return (supply.peek() ?? (await supply.decide())).key;
  }

  #failures(): RequestFailures {
    const { vendor, supply } = this.#options;
    return new RequestFailures({ provider: vendor.id, supply });
  }
}

interface Rules {
  readonly aim: Aim;
  readonly headerRules: HeaderRules;
}

const rules = new WeakMap<Vendor, Rules>();

function rulesOf(vendor: Vendor): Rules {
  let found = rules.get(vendor);
  if (found === undefined) {
    found = { aim: new Aim(vendor), headerRules: new HeaderRules(vendor) };
    rules.set(vendor, found);
  }
  return found;
}
