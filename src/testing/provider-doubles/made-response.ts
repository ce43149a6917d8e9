import { newId, pieces, replyTo, type Turn, textOf, tokensOf } from "./openai-wire.ts";

export type Json = Readonly<Record<string, unknown>>;

/** What a double answers `POST /responses`, whole and as events. Shapes: Response and ResponseStreamEvent of openai 7.57. */
export interface MadeResponse {
  readonly id: string;
  readonly whole: Json;
  readonly events: readonly Json[];
}

/** `generate: false` answers with no output, as a socket is warmed up. */
export function makeResponse(request: Json): MadeResponse {
  const turn = turnOf(request["input"]);
  const begun = responseOf(request);
  const { id } = begun;
  const first = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
  ];
  const end = (whole: Json, events: readonly Json[]): MadeResponse => {
    const all = [...first, ...events, { type: "response.completed", response: whole }];
    return { id, whole, events: all.map((event, at) => ({ ...event, sequence_number: at })) };
  };
  if (request["generate"] === false) return end({ ...begun, status: "completed", usage: usageOf(turn, "") }, []);
  const { text, tool } = replyTo(turn, request["tools"], request["tool_choice"]);
  const item =
    tool === undefined
      ? { type: "message", id: newId("msg"), role: "assistant" }
      : { type: "function_call", id: newId("fc"), call_id: tool.id, name: tool.name };
  const done =
    tool === undefined
      ? { ...item, status: "completed", content: [{ type: "output_text", text, annotations: [], logprobs: [] }] }
      : { ...item, status: "completed", arguments: tool.arguments };
  const place = { item_id: item.id, output_index: 0, content_index: 0 };
  const started = { ...item, status: "in_progress", ...(tool === undefined ? { content: [] } : { arguments: "" }) };
  const usage = usageOf(turn, text ?? tool.arguments);
  return end({ ...begun, status: "completed", output: [done], usage }, [
    { type: "response.output_item.added", output_index: 0, item: started },
    ...(tool === undefined ? textEvents(place, text) : callEvents(place, tool)),
    { type: "response.output_item.done", output_index: 0, item: done },
  ]);
}

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

function responseOf({
  model,
  instructions,
  tools,
  tool_choice: choice,
  previous_response_id: previous,
}: Json): Json & { readonly id: string } {
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
