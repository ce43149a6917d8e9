import type { Dispatcher } from "../../src/providers/egress/head-guard.ts";
import type { Network } from "./network.ts";
import type { ProcessClock } from "./virtual-time.ts";

interface Sent {
  readonly headers: NonNullable<RequestInit["headers"]>;
  readonly settle: (error: Error | undefined) => void;
}

interface Handler {
  onConnect(abort: (error: Error) => void): void;
}

/** Stands in for the runtime's \`fetch\`, which asks a dispatcher; nothing leaves. */
export function fetchOfTheModel(
  _url: string,
  init: RequestInit & { readonly dispatcher: Dispatcher },
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined): void =>
      error === undefined ? resolve(new Response("{}")) : reject(new TypeError("fetch failed", { cause: error }));
    const handler: Handler = { onConnect: () => {} };
    init.dispatcher.dispatch({ headers: init.headers, settle }, handler);
  });
}

/** A connection takes as long as the schedule says; then the head is written, unless it is refused, and \`judge\` sees it. */
export function dispatcherOf(network: Network, clock: ProcessClock, judge: (headers: Headers) => void): Dispatcher {
  return {
    dispatch(options, handler) {
      const { headers, settle } = options as Sent;
      const write = (): void => {
        let refusal: Error | undefined;
        (handler as Handler).onConnect((error) => {
          refusal = error;
        });
        if (refusal === undefined) judge(new Headers(headers));
        settle(refusal);
      };
      network.send("provider", clock, () => {}).then(write, settle);
      return true;
    },
  };
}
