import type { Account } from "./account.ts";
import { jsonObject, type Refusal, type Route, type SocketRoute, sendJson, sendPieces } from "./double.ts";
import { type Json, makeResponse } from "./made-response.ts";
import { serverEvent } from "./openai-wire.ts";
import { openaiWords, refuseResponses, type Words } from "./openai-words.ts";

/** `held`: the response that a socket can continue though it is not stored. */
function refuseRequest(request: Json, words: Words, { responses }: Account, held?: string): Refusal | undefined {
  const missing = ["model", "input"].find((name) => request[name] === undefined);
  if (missing !== undefined) return words.missing(missing);
  const { previous_response_id: previous } = request;
  const isKnown = typeof previous !== "string" || previous === held || responses.has(previous);
  return isKnown ? undefined : words.unknownResponse(previous);
}

export const responsesRoute = (words: Words): Route => ({
  method: "POST",
  path: /^\/responses$/u,
  async answer({ body, account }, response) {
    const request = jsonObject(body);
    const refusal = refuseRequest(request, words, account);
    if (refusal !== undefined) {
      sendJson(response, refusal.body, refusal.status);
      return;
    }
    const { id, whole, events } = makeResponse(request);
    if (request["store"] !== false) account.responses.set(id, true);
    if (request["stream"] !== true) {
      sendJson(response, whole);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    await sendPieces(
      response,
      events.map((event) => serverEvent(event, String(event["type"]))),
    );
  },
});

/**
 * `wss …/responses`, as developers.openai.com and docs.x.ai describe WebSocket mode, in the same words: the events of a
 * stream, one a frame. A socket can continue its last response though it is not stored, unless the turn that tried failed.
 */
export const responsesSocket: SocketRoute = {
  path: /^\/responses$/u,
  refuseOpen: refuseResponses,
  serve(socket, _url, account) {
    let held: string | undefined;
    socket.on("message", (data: Buffer) => {
      const { type, stream_id, ...request } = jsonObject(data);
      const send = (event: Json): void => socket.send(JSON.stringify({ ...event, stream_id }));
      const refusal =
        type === "response.create" ? refuseRequest(request, openaiWords, account, held) : openaiWords.missing("type");
      if (refusal !== undefined) {
        if (request["previous_response_id"] === held) held = undefined;
        send({ type: "error", status: refusal.status, ...(refusal.body as Json) });
        return;
      }
      const { id, events } = makeResponse(request);
      if (request["store"] !== false) account.responses.set(id, true);
      held = id;
      for (const event of events) send(event);
    });
  },
};
