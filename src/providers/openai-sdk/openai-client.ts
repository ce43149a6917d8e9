import type { ClientOptions, OpenAI } from "openai";
import { isByokError } from "../../errors.ts";
import { explainImport } from "../../explain-import.ts";
import { ownProperty } from "../../own-property.ts";
import { answerRefusal } from "../egress/answer-refusal.ts";
import type { Egress } from "../egress/egress.ts";
import { withHeaders } from "../egress/guarded-response.ts";
import { RequestDeadline, requestDeadline } from "../egress/request-deadline.ts";

/** What the two providers that speak OpenAI's protocol import. */
export interface OpenAISdk {
  readonly connect: (egress: Egress) => OpenAI;
  readonly OpenAIRealtimeWS: typeof import("openai/realtime/ws").OpenAIRealtimeWS;
}

/** Node's longest timer: the slot's fetch ends requests, not the SDK, whose time-out starts anew with every retry. */
const longestTimerMs = 2_147_483_647;

/** Travels through `withOptions()` with the other options, so that a clone leaves by the same way. */
const way = Symbol("egress");

/** Of their own in every request: the SDK would read what somebody has put on `Object.prototype`. */
const nothingInherited = { fetchOptions: undefined, query: undefined };

type OptionsWithEgress = ClientOptions & { readonly [way]: Egress };

/** @throws ByokError `sdk_missing` */
export async function loadOpenAI(provider: string): Promise<OpenAISdk> {
  try {
    const [sdk, realtime] = await Promise.all([import("openai"), import("openai/realtime/ws")]);
    return toOpenAISdk(sdk.OpenAI, realtime.OpenAIRealtimeWS);
  } catch (error) {
    throw explainImport(error, provider, "openai@7 ws@8");
  }
}

export function toOpenAISdk(Client: typeof OpenAI, OpenAIRealtimeWS: OpenAISdk["OpenAIRealtimeWS"]): OpenAISdk {
  const Hermetic = makeHermetic(Client);
  return { connect: (egress) => new Hermetic({ [way]: egress } as OptionsWithEgress), OpenAIRealtimeWS };
}

/**
 * The SDK's client without its environment: every option that the SDK would fill from an OPENAI_ variable is given, and the
 * headers of OPENAI_CUSTOM_HEADERS are taken off again, in clones too. Named `OpenAI` because the SDK sends its class's name
 * as the user agent.
 */
function makeHermetic(Base: typeof OpenAI): typeof OpenAI {
  return class OpenAI extends Base {
    readonly #requestTimeoutMs: number;

    constructor(options: ClientOptions = {}) {
      const egress = (options as OptionsWithEgress)[way];
      super({
        ...options,
        apiKey: egress.placeholder,
        baseURL: egress.baseUrl,
        organization: null,
        project: null,
        adminAPIKey: null,
        webhookSecret: null,
        logLevel: "off",
        fetchOptions: ownProperty(options, "fetchOptions"),
        defaultQuery: ownProperty(options, "defaultQuery"),
        timeout: longestTimerMs,
        fetch: answerRefusals(egress.fetch),
      });
      this.#requestTimeoutMs = egress.requestTimeoutMs;
      const inner = this as unknown as { _options: ClientOptions };
      inner._options = { ...inner._options, defaultHeaders: ownProperty(options, "defaultHeaders") };
    }

    override request<Rsp>(
      ...args: Parameters<typeof Base.prototype.request>
    ): ReturnType<typeof Base.prototype.request<Rsp>> {
      const [options, ...more] = args;
      const own = Promise.resolve(options).then((given) => ({ ...nothingInherited, ...given }));
      return this.#withinDeadline(() => super.request<Rsp>(own as typeof options, ...more));
    }

    /** Lists pass by `request`. `never`, because no override can repeat the generics of the SDK's own declaration. */
    override requestAPIList(...args: readonly never[]): never {
      const [page, options] = args as unknown as Parameters<typeof Base.prototype.requestAPIList>;
      return this.#withinDeadline(() => super.requestAPIList(page, options)) as never;
    }

    /** What one request asks for holds too, retries included. */
    protected override async prepareRequest(
      _request: unknown,
      { options }: { readonly options: { readonly timeout?: number } },
    ): Promise<void> {
      if (options.timeout !== undefined) requestDeadline.getStore()?.lowerTo(options.timeout);
    }

    /** One deadline for a request and its retries: three stalled attempts would otherwise take three times as long. */
    #withinDeadline<T>(send: () => T): T {
      return requestDeadline.run(new RequestDeadline(this.#requestTimeoutMs), send);
    }
  };
}

/**
 * The SDK takes what a `fetch` throws for a broken connection and tries again, with a second of silence before; so a refusal
 * of byokit's is an answer here. An answer that asks to be tried again after the deadline is final too.
 */
function answerRefusals(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    try {
      const response = await send(input, init);
      const seconds = Number.parseFloat(response.headers.get("retry-after") ?? "");
      const isTooLong = seconds * 1_000 > (requestDeadline.getStore()?.leftMs() ?? Number.POSITIVE_INFINITY);
      if (!isTooLong || response.ok) return response;
      return withHeaders(response, new Headers([...response.headers, ["x-should-retry", "false"]]));
    } catch (error) {
      if (!isByokError(error)) throw error;
      return answerRefusal(error);
    }
  };
}
