import {
  bearer,
  type Double,
  type DoubleRequest,
  jsonObject,
  type Refusal,
  type Route,
  type SocketRoute,
  sendJson,
} from "./double.ts";

const refusal = (status: number, message: string, code: string | null, type = "invalid_request_error"): Refusal => ({
  status,
  body: { error: { message, type, param: null, code } },
});

/** What OpenAI and xAI both serve: models, chat completions, realtime sessions. */
export const openaiRoutes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/models$/u,
    needsScope: true,
    answer: (_request, response) => sendJson(response, { object: "list", data: [{ id: "double-1", object: "model" }] }),
  },
  {
    method: "POST",
    path: /^\/chat\/completions$/u,
    answer(request, response) {
      const { model, messages, stream } = jsonObject(request.body);
      if (typeof model !== "string" || !Array.isArray(messages)) {
        sendJson(response, refusal(400, "Missing required parameter.", "missing_required_parameter").body, 400);
        return;
      }
      const text = replyTo(request);
      const frame = { id: "chatcmpl-double", created: 1, model };
      if (stream !== true) {
        const message = { role: "assistant", content: text, refusal: null };
        const choices = [{ index: 0, message, finish_reason: "stop", logprobs: null }];
        sendJson(response, { ...frame, object: "chat.completion", choices });
        return;
      }
      response.writeHead(200, { "content-type": "text/event-stream" });
      const send = (delta: object, finish: string | null): unknown =>
        response.write(
          `data: ${JSON.stringify({ ...frame, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
        );
      for (const word of text.split(/(?<= )/u)) send({ content: word }, null);
      send({}, "stop");
      response.end("data: [DONE]\n\n");
    },
  },
];

export const realtimeSocket: SocketRoute = {
  path: /^\/realtime$/u,
  refuse: (url) =>
    url.searchParams.get("model") ? undefined : refusal(400, "You must provide a model parameter.", "missing_model"),
  serve(socket, url) {
    const session = { id: "sess_double", object: "realtime.session", model: url.searchParams.get("model") };
    const send = (event: object): void => socket.send(JSON.stringify({ event_id: "event_double", ...event }));
    send({ type: "session.created", session });
    socket.on("message", (data) => {
      const event = jsonObject(data as Buffer);
      if (event["type"] === "session.update") send({ type: "session.updated", session });
      if (event["type"] !== "response.create") return;
      const audio = Buffer.alloc(160, 0xff).toString("base64");
      const place = { response_id: "resp_double", item_id: "item_double", output_index: 0, content_index: 0 };
      for (const delta of [audio, audio]) send({ type: "response.output_audio.delta", ...place, delta });
      send({
        type: "response.done",
        response: { id: "resp_double", object: "realtime.response", status: "completed" },
      });
    });
  },
};

export const openaiDouble: Double = {
  id: "openai",
  prefix: "/v1",
  keyOf: bearer,
  wrongKey: refusal(401, "Incorrect API key provided.", "invalid_api_key"),
  restricted: refusal(
    403,
    "You have insufficient permissions for this operation. Missing scopes: api.model.read.",
    "missing_scope",
  ),
  quotaExceeded: refusal(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
  blocked: refusal(401, "Incorrect API key provided.", "invalid_api_key"),
  routes: openaiRoutes,
  sockets: [realtimeSocket],
};

function replyTo({ body }: DoubleRequest): string {
  const messages = jsonObject(body)["messages"] as readonly { readonly content?: unknown }[];
  return `You said: ${String(messages.at(-1)?.content ?? "nothing")}`;
}
