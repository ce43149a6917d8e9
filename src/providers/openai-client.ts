import type { ClientOptions, OpenAI } from "openai";
import { type Fetch, gate, originOf, retryBudget } from "./gate.ts";
import { importSdk } from "./import-sdk.ts";
import type { Credential } from "./provider.ts";

/** What the two providers that speak OpenAI's protocol import. */
export interface OpenAISdk {
  readonly connect: (provider: string, credential: Credential) => OpenAI;
  readonly OpenAIRealtimeWS: typeof import("openai/realtime/ws").OpenAIRealtimeWS;
}

/** Node's longest timer: the gate ends requests, not the SDK, whose time-out starts anew with every retry. */
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
  return await importSdk(provider, "openai@7 ws@8", async () => {
    const [sdk, realtime] = await Promise.all([import("openai"), import("openai/realtime/ws")]);
    const Hermetic = hermetic(sdk.OpenAI);
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
function hermetic(Base: typeof OpenAI): typeof OpenAI {
  return class OpenAI extends Base {
    constructor(options: ClientOptions = {}) {
      const pinned = (options as PinnedOptions)[pin];
      const { provider, credential } = pinned;
      const { baseUrl, key, requestTimeoutMs } = credential;
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
        fetch: gate(provider, credential, [originOf(baseUrl)], options.fetch as Fetch | undefined),
      });
      const inner = this as unknown as { _options: ClientOptions };
      const kept = { ...inner._options, defaultHeaders: options.defaultHeaders, [pin]: pinned };
      hide(this, "_options", () => kept);
      hide(this, "apiKey", () => key.reveal());
      hide(this, "requestTimeoutMs", () => requestTimeoutMs);
    }

    /** One budget for a request and its retries: three stalled attempts would otherwise take three times as long. */
    override request<Rsp>(
      ...args: Parameters<InstanceType<typeof Base>["request"]>
    ): ReturnType<typeof Base.prototype.request<Rsp>> {
      const { requestTimeoutMs } = this as unknown as { requestTimeoutMs: number };
      const { timeout } = args[0] instanceof Promise ? {} : args[0];
      const limitMs = Math.min(requestTimeoutMs, timeout ?? requestTimeoutMs);
      return retryBudget.run(performance.now() + limitMs, () => super.request<Rsp>(...args));
    }
  };
}

/** A getter that no inspection, spread or JSON shows; what is assigned to it is dropped. */
function hide(target: object, name: string, get: () => unknown): void {
  Object.defineProperty(target, name, { get, set: () => {}, enumerable: false, configurable: false });
}
