import { randomUUID } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type Egress, SlotEgress } from "../providers/egress/egress.ts";
import { type KeySupply, type ServingKey, supplyOf } from "../providers/egress/key-supply.ts";
import { loadWs } from "../providers/egress/load-ws.ts";
import { createPlaceholder } from "../providers/egress/placeholder.ts";
import type { Provider } from "../providers/provider.ts";
import { Secret } from "../secret.ts";

/** A vendor's serving host on loopback, and the way that a slot's requests take to it. */
export class ContractVendor {
  readonly key: string = `contract-${randomUUID()}`;
  readonly arrived: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];
  readonly origin: string;
  answer: (response: ServerResponse) => void = (response) => {
    response.setHeader("content-type", "application/json").end("{}");
  };
  /** Why no key serves any more. */
  refusal: Error | undefined;
  readonly #provider: Provider;
  readonly #server: Server;
  #egress: Egress | undefined;

  private constructor(provider: Provider, server: Server) {
    this.#provider = provider;
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response: ServerResponse) => {
      this.arrived.push({ url: request.url ?? "", headers: request.headers });
      request.resume().on("end", () => this.answer(response));
    });
    server.on("upgrade", ({ url = "", headers }, socket: Duplex) => {
      this.arrived.push({ url, headers });
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    });
  }

  static async open(provider: Provider): Promise<ContractVendor> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ContractVendor(provider, server);
  }

  get keyHeader(): string {
    return this.#provider.keyHeader?.name ?? "authorization";
  }

  get shownKey(): string {
    const { scheme } = this.#provider.keyHeader ?? { scheme: "Bearer" };
    return scheme === undefined ? this.key : `${scheme} ${this.key}`;
  }

  /** Of the last client. */
  get egress(): Egress {
    if (this.#egress === undefined) throw new Error("No client was made yet.");
    return this.#egress;
  }

  /** A client on the vendor's default host, as a slot has one, while this host serves. */
  async connect(requestTimeoutMs = 5_000): Promise<unknown> {
    const websocketUrl = this.origin.replace(/^http/u, "ws");
    const key = new Secret(this.key);
    const serving: ServingKey = {
      key,
      region: null,
      account: null,
      baseUrl: this.origin,
      websocketUrl,
      source: "byok",
      secretId: "contract",
    };
    const decide = (): ServingKey => {
      if (this.refusal !== undefined) throw this.refusal;
      return serving;
    };
    const mayLeave = (): boolean => decide() === serving;
    const supply: KeySupply = { ...supplyOf(serving), peek: decide, decide: async () => decide(), mayLeave };
    const [loaded, ws] = await Promise.all([this.#provider.load?.(), loadWs()]);
    const placeholder = createPlaceholder();
    this.#egress = new SlotEgress({ vendor: this.#provider, supply, placeholder, requestTimeoutMs, ws });
    return this.#provider.connect(this.#egress, loaded);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
