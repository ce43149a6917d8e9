import type { ClientOptions, OpenAI } from "openai";
import { importOptional } from "../../import-optional.ts";
import { ownProperty } from "../../own-property.ts";
import { type Fetch, findRefusal, pinnedFetch, toOrigin } from "../http/pinned-fetch.ts";
import { RequestDeadline, requestDeadline } from "../http/request-deadline.ts";
import { setHeaders } from "../http/response-body.ts";
import type { Credential } from "../provider.ts";

/** What the two providers that speak OpenAI's protocol import. */
export interface OpenAISdk {
  readonly connect: (provider: string, credential: Credential) => OpenAI;
  readonly OpenAIRealtimeWS: typeof import("openai/realtime/ws").OpenAIRealtimeWS;
}

/** Node's longest timer: the pinned fetch ends requests, not the SDK, whose time-out starts anew with every retry. */
const longestTimerMs = 2_147_483_647;

/** Travels through `withOptions()` with the other options, so that a clone stays pinned. */
const pin = Symbol("pin");

interface Pin {
  readonly provider: string;
  readonly credential: Credential;
}

type PinnedOptions = ClientOptions & { readonly [pin]: Pin };

/** @throws ByokError `sdk_missing` */
export async function loadOpenAI(provider: string): Promise<OpenAISdk> {
  return await importOptional(provider, "openai@7 ws@8", async () => {
    const [sdk, realtime] = await Promise.all([import("openai"), import("openai/realtime/ws")]);
    const Hermetic = makeHermetic(sdk.OpenAI);
    return {
      connect: (id, credential) => new Hermetic({ [pin]: { provider: id, credential } } as PinnedOptions),
      OpenAIRealtimeWS: realtime.OpenAIRealtimeWS,
    };
  });
}

/**
 * The SDK's client without its environment. Every option that the SDK would fill from an OPENAI_ variable is given, the
 * headers of OPENAI_CUSTOM_HEADERS (which may replace `Authorization`) are taken off again, and key and host are pinned,
 * in clones too. Named `OpenAI` because the SDK sends its class's name as the user agent.
 */
function makeHermetic(Base: typeof OpenAI): typeof OpenAI {
  return class OpenAI extends Base {
    readonly #pinned: Pin;

    constructor(options: ClientOptions = {}) {
      const pinned = (options as PinnedOptions)[pin];
      const { provider, credential } = pinned;
      const { baseUrl, key } = credential;
      const send = ownProperty(options, "fetch") as Fetch | undefined;
      super({
        ...options,
        apiKey: key.reveal(),
        baseURL: baseUrl,
        organization: null,
        project: null,
        adminAPIKey: null,
        webhookSecret: null,
        logLevel: "off",
        timeout: longestTimerMs,
        fetch: pinnedFetch(provider, credential, [toOrigin(baseUrl)], { send: send ?? withoutLongRetries }),
      });
      this.#pinned = pinned;
      const inner = this as unknown as { _options: ClientOptions };
      const kept = { ...inner._options, defaultHeaders: ownProperty(options, "defaultHeaders"), [pin]: pinned };
      hide(this, "_options", () => kept);
      hide(this, "apiKey", () => key.reveal());
    }

    override request<Rsp>(
      ...args: Parameters<typeof Base.prototype.request>
    ): ReturnType<typeof Base.prototype.request<Rsp>> {
      return this.#withinDeadline(() => super.request<Rsp>(...args));
    }

    /** Lists pass by `request`. `never`, because no override can repeat the generics of the SDK's own declaration. */
    override requestAPIList(...args: readonly never[]): never {
      const [page, options] = args as unknown as Parameters<typeof Base.prototype.requestAPIList>;
      return this.#withinDeadline(() => super.requestAPIList(page, options)) as never;
    }

    /** What the pinned fetch would refuse ends here: the SDK takes what a fetch throws for a broken connection and tries again. */
    protected override async prepareRequest(
      _request: unknown,
      { url, options }: { readonly url: string; readonly options: { readonly timeout?: number } },
    ): Promise<void> {
      if (options.timeout !== undefined) requestDeadline.getStore()?.lowerTo(options.timeout);
      const { provider, credential } = this.#pinned;
      const refused = findRefusal(provider, [toOrigin(credential.baseUrl)], url);
      if (refused !== undefined) throw refused;
    }

    /** One deadline for a request and its retries: three stalled attempts would otherwise take three times as long. */
    #withinDeadline<T>(send: () => T): T {
      return requestDeadline.run(new RequestDeadline(this.#pinned.credential.requestTimeoutMs), send);
    }
  };
}

/** An answer that asks to be tried again after the deadline is final: waiting for it would only delay its error. */
const withoutLongRetries: Fetch = async (input, init) => {
  const response = await globalThis.fetch(input, init);
  const seconds = Number.parseFloat(response.headers.get("retry-after") ?? "");
  const isTooLong = seconds * 1_000 > (requestDeadline.getStore()?.leftMs() ?? Number.POSITIVE_INFINITY);
  return isTooLong && !response.ok ? setHeaders(response, { "x-should-retry": "false" }) : response;
};

/** A getter that no inspection, spread or JSON shows; what is assigned to it is dropped. */
function hide(target: object, name: string, get: () => unknown): void {
  Object.defineProperty(target, name, { get, set: () => {}, enumerable: false, configurable: false });
}
