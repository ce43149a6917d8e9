import { jsonObject, type Refusal, type Route, type SocketRoute, sendJson } from "./double.ts";
import { refuseRealtime } from "./openai-words.ts";
import { RealtimeSession } from "./realtime-session.ts";

/** In seconds, as both vendors have it where nothing is asked. */
const secretSeconds = 600;

export const realtimeSocket = (refusal: Refusal): SocketRoute => ({
  path: /^\/realtime$/u,
  refuseOpen: refuseRealtime,
  refuse: ({ searchParams }) =>
    ["model", "intent", "call_id"].some((name) => searchParams.get(name)) ? undefined : refusal,
  serve(socket, url) {
    const session = new RealtimeSession(socket, url);
    socket.on("message", (data: Buffer) => session.obey(jsonObject(data)));
  },
});

/** The secret opens the realtime API and nothing else. `told` is what a vendor tells beside it. */
export const clientSecretsRoute = (
  prefix: string,
  told: (asked: Readonly<Record<string, unknown>>) => object,
): Route => ({
  method: "POST",
  path: /^\/realtime\/client_secrets$/u,
  answer({ body, mint }, response) {
    const asked = jsonObject(body);
    const { seconds = secretSeconds } = (asked["expires_after"] ?? {}) as { readonly seconds?: number };
    const expires_at = Math.floor(Date.now() / 1_000) + seconds;
    sendJson(response, { value: mint(prefix), expires_at, ...told(asked) });
  },
});
