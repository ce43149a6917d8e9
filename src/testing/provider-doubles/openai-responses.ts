import { jsonObject, type Route, sendJson, sendPieces } from "./double.ts";
import { newId, pieces, type RefuseMissing, replyTo, serverEvent, type Turn, textOf, tokensOf } from "./openai-wire.ts";

type Json = Readonly<Record<string, unknown>>;

/** Shapes: Response and ResponseStreamEvent of openai 7.57. */
export const responsesRoute = (refuseMissing: RefuseMissing): Route => ({
  method: "POST",
  path: /^\/responses$/u,
  async answer({ body }, response) {
    const request = jsonObject(body);
    const missing = ["model", "input"].find((name) => request[name] === undefined);
    if (missing !== undefined) {
      const { status, body: said } = refuseMissing(missing);
      sendJson(response, said, status);
      return;
    }
    const turn = turnOf(request["input"]);
    const { text, tool } = replyTo(turn, request["tools"], request["tool_choice"]);
    const item =
      tool === undefined
        ? { type: "message", id: newId("msg"), role: "assistant" }
        : { type: "function_call", id: newId("fc"), call_id: tool.id, name: tool.name };
    const done =
      tool === undefined
        ? { ...item, status: "completed", content: [{ type: "output_text", text, annotations: [], logprobs: [] }] }
        : { ...item, status: "completed", arguments: tool.arguments };
    const begun = responseOf(request);
    const whole = { ...begun, status: "completed", output: [done], usage: usageOf(turn, text ?? tool.arguments) };
    if (request["stream"] !== true) {
      sendJson(response, whole);
      return;
    }
    const place = { item_id: item.id, output_index: 0, content_index: 0 };
    const events: readonly Json[] = [
      { type: "response.created", response: begun },
      { type: "response.in_progress", response: begun },
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { ...item, status: "in_progress", ...(tool === undefined ? { content: [] } : { arguments: "" }) },
      },
      ...(tool === undefined ? textEvents(place, text) : callEvents(place, tool)),
      { type: "response.output_item.done", output_index: 0, item: done },
      { type: "response.completed", response: whole },
    ];
    response.writeHead(200, { "content-type": "text/event-stream" });
    const sent = events.map((event, at) => serverEvent({ ...event, sequence_number: at }, String(event["type"])));
    await sendPieces(response, sent);
  },
});

function textEvents(place: object, text: string): readonly Json[] {
  const part = (said: string): object => ({ type: "output_text", text: said, annotations: [], logprobs: [] });
  return [
    { type: "response.content_part.added", ...place, part: part("") },
    ...pieces(text).map((delta) => ({ type: "response.output_text.delta", ...place, delta, logprobs: [] })),
    { type: "response.output_text.done", ...place, text, logprobs: [] },
    { type: "response.content_part.done", ...place, part: part(text) },
  ];
}

function callEvents(
  { item_id, output_index }: { readonly item_id: string; readonly output_index: number },
  { name, arguments: args }: { readonly name: string; readonly arguments: string },
): readonly Json[] {
  const place = { item_id, output_index };
  return [
    { type: "response.function_call_arguments.delta", ...place, delta: args },
    { type: "response.function_call_arguments.done", ...place, name, arguments: args },
  ];
}

function turnOf(input: unknown): Turn {
  if (!Array.isArray(input)) return { text: String(input), isUser: true };
  const last = (input.at(-1) ?? {}) as Json;
  return { text: textOf(last["content"] ?? last["output"]), isUser: last["type"] !== "function_call_output" };
}

function responseOf({ model, instructions, tools, tool_choice: choice, previous_response_id: previous }: Json): object {
  return {
    id: newId("resp"),
    object: "response",
    created_at: 1,
    status: "in_progress",
    error: null,
    incomplete_details: null,
    instructions: instructions ?? null,
    metadata: {},
    model,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: previous ?? null,
    temperature: 1,
    tool_choice: choice ?? "auto",
    tools: tools ?? [],
    top_p: 1,
    usage: null,
  };
}

function usageOf({ text }: Turn, said: string): object {
  const [input_tokens, output_tokens] = [tokensOf(text), tokensOf(said)];
  return {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens,
  };
}
