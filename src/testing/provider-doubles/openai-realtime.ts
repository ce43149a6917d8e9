import { audioFormat, spokenAudio } from "./audio-format.ts";
import { jsonObject, type Refusal, type Route, type SocketRoute, sendJson } from "./double.ts";
import { newId } from "./openai-wire.ts";

/** In seconds, as both vendors have it where nothing is asked. */
const secretSeconds = 600;

export const realtimeSocket = (refusal: Refusal): SocketRoute => ({
  path: /^\/realtime$/u,
  refuse: ({ searchParams }) =>
    ["model", "intent", "call_id"].some((name) => searchParams.get(name)) ? undefined : refusal,
  serve(socket, url) {
    const type = url.searchParams.get("intent") === "transcription" ? "transcription" : "realtime";
    const session = { id: newId("sess"), object: "realtime.session", type, model: url.searchParams.get("model") };
    const send = (event: object): void => socket.send(JSON.stringify({ event_id: newId("event"), ...event }));
    send({ type: "session.created", session });
    socket.on("message", (data: Buffer) => {
      const event = jsonObject(data);
      if (event["type"] === "session.update") send({ type: "session.updated", session });
      if (event["type"] !== "response.create") return;
      const id = newId("resp");
      const audio = spokenAudio(audioFormat("mulaw", 8_000), 20).toString("base64");
      const place = { response_id: id, item_id: newId("item"), output_index: 0, content_index: 0 };
      send({ type: "response.created", response: { id, object: "realtime.response", status: "in_progress" } });
      for (const delta of [audio, audio]) send({ type: "response.output_audio.delta", ...place, delta });
      send({ type: "response.done", response: { id, object: "realtime.response", status: "completed" } });
    });
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
