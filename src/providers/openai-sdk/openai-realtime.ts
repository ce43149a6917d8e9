import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { OpenAIRealtimeWS } from "openai/realtime/ws";
import { ByokError, isByokError } from "../../errors.ts";
import type { Egress } from "../egress/egress.ts";
import { tellWhyItEnds } from "../egress/slot-websocket.ts";
import type { RealtimeSession } from "../provider.ts";
import type { OpenAISdk } from "./openai-client.ts";

/**
 * Opens a realtime socket through the slot's agent. The SDK gets `{ apiKey, baseURL }` and no client, for a client of its
 * own would be built from the environment.
 *
 * @throws ByokError `request_timeout`; `key_rejected` or `key_exhausted` when the provider refuses the key, `provider_failed`
 * when it refuses the socket otherwise; the reason of `signal` when that was aborted first.
 */
export async function openRealtime(
  provider: string,
  egress: Egress,
  loaded: unknown,
  { model, signal }: RealtimeSession,
): Promise<OpenAIRealtimeWS> {
  signal?.throwIfAborted();
  const { orgId, placeholder, baseUrl, agent, requestTimeoutMs } = egress;
  const { OpenAIRealtimeWS } = loaded as OpenAISdk;
  const socket = new OpenAIRealtimeWS(
    { model, reconnect: undefined, options: { agent, handshakeTimeout: requestTimeoutMs, followRedirects: false } },
    { apiKey: placeholder, baseURL: baseUrl },
  );
  tellWhyItEnds(socket.socket);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  socket.on("error", () => {});
  socket.socket.once("upgrade", ({ socket: connection }) => holdFirstEvents(socket.socket, connection));
  socket.socket.once("open", () => resolve());
  socket.socket.once("unexpected-response", (_request, answer) => void egress.explainHandshake(answer).then(reject));
  socket.socket.once("error", (error) => {
    reject(isByokError(error) ? error : toFailure({ orgId, provider }, /handshake/iu.test(error.message)));
  });
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.socket.terminate();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** What a provider says first waits until who has called has had a turn, in which to listen. */
function holdFirstEvents(socket: EventEmitter, connection: Socket): void {
  socket.once("open", () => {
    connection.pause();
    setImmediate(() => Reflect.get(socket, "isPaused") === true || connection.resume());
  });
}

function toFailure(
  details: { readonly orgId: string | undefined; readonly provider: string },
  isTimeout: boolean,
): ByokError {
  const { provider } = details;
  if (isTimeout) {
    const message = `"${provider}" did not open the realtime socket in time. Try again.`;
    return new ByokError("request_timeout", message, { ...details, slot: "realtime" });
  }
  const message = `"${provider}" could not be reached. Check its host, then try again.`;
  return new ByokError("provider_failed", message, { ...details, slot: "realtime" });
}
