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
 * @throws ByokError `request_timeout`, `key_rejected` when the provider rejects the key, `provider_failed` when it rejects
 * the socket otherwise; the reason of `signal` when that was aborted first.
 */
export async function openRealtime(
  provider: string,
  { orgId, placeholder, baseUrl, agent, requestTimeoutMs }: Egress,
  loaded: unknown,
  { model, signal }: RealtimeSession,
): Promise<OpenAIRealtimeWS> {
  signal?.throwIfAborted();
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
  socket.socket.once("open", () => resolve());
  socket.socket.once("unexpected-response", (_request, response) =>
    reject(toRejection({ orgId, provider, slot: "realtime" }, response.statusCode ?? 0)),
  );
  socket.socket.once("error", (error) => {
    reject(
      isByokError(error) ? error : toFailure({ orgId, provider, slot: "realtime" }, /handshake/iu.test(error.message)),
    );
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

interface Details {
  readonly orgId: string | undefined;
  readonly provider: string;
  readonly slot: "realtime";
}

function toRejection(details: Details, status: number): ByokError {
  const { provider } = details;
  if (status === 400 || status === 401 || status === 403) {
    const message = `"${provider}" rejected the realtime socket with status ${status}. Check the key and the model.`;
    return new ByokError("key_rejected", message, details);
  }
  const message = `"${provider}" answered the realtime socket with status ${status}. Check the endpoint, then try again.`;
  return new ByokError("provider_failed", message, details);
}

function toFailure(details: Details, isTimeout: boolean): ByokError {
  const { provider } = details;
  if (isTimeout) {
    const message = `"${provider}" did not open the realtime socket in time. Try again.`;
    return new ByokError("request_timeout", message, details);
  }
  const message = `"${provider}" could not be reached. Check its host, then try again.`;
  return new ByokError("provider_failed", message, details);
}
