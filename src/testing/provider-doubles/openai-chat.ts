import { jsonObject, type Route, sendJson, sendPieces } from "./double.ts";
import { newId, pieces, type Reply, replyTo, serverEvent, textOf, tokensOf } from "./openai-wire.ts";
import type { Words } from "./openai-words.ts";

type Message = Readonly<Record<string, unknown>>;

/** Shapes: ChatCompletion and ChatCompletionChunk of openai 7.57. */
export const chatRoute = (words: Words): Route => ({
  method: "POST",
  path: /^\/chat\/completions$/u,
  async answer({ body }, response) {
    const request = jsonObject(body);
    const { model, messages, stream, stream_options: options, tools, tool_choice: choice } = request;
    const missing = typeof model !== "string" ? "model" : Array.isArray(messages) ? undefined : "messages";
    if (missing !== undefined) {
      const { status, body: said } = words.missing(missing);
      sendJson(response, said, status);
      return;
    }
    const said = messages as readonly Message[];
    const last = said.at(-1) ?? {};
    const reply = replyTo({ text: textOf(last["content"]), isUser: last["role"] === "user" }, tools, choice);
    const frame = { id: newId("chatcmpl"), created: 1, model, service_tier: "default" };
    const usage = usageOf(said, reply);
    if (stream !== true) {
      sendJson(response, { ...frame, object: "chat.completion", choices: [wholeChoice(reply)], usage });
      return;
    }
    const withUsage = (options as Message | undefined)?.["include_usage"] === true;
    const chunk = (choices: readonly object[], counted: object | null = null): string =>
      serverEvent({ ...frame, object: "chat.completion.chunk", choices, ...(withUsage ? { usage: counted } : {}) });
    const choices = deltasOf(reply).map(([delta, finish_reason]) => [
      { index: 0, delta, finish_reason, logprobs: null },
    ]);
    response.writeHead(200, { "content-type": "text/event-stream" });
    const chunks = choices.map((one) => chunk(one));
    await sendPieces(response, [...chunks, ...(withUsage ? [chunk([], usage)] : []), serverEvent("[DONE]")]);
  },
});

function wholeChoice({ text, tool }: Reply): object {
  const message = { role: "assistant", content: text ?? null, refusal: null };
  if (tool === undefined) return { index: 0, message, finish_reason: "stop", logprobs: null };
  const { id, name, arguments: args } = tool;
  const tool_calls = [{ id, type: "function", function: { name, arguments: args } }];
  return { index: 0, message: { ...message, tool_calls }, finish_reason: "tool_calls", logprobs: null };
}

function deltasOf({ text, tool }: Reply): readonly (readonly [object, string | null])[] {
  if (tool === undefined) {
    const words = pieces(text).map((content) => [{ content }, null] as const);
    return [[{ role: "assistant", content: "", refusal: null }, null], ...words, [{}, "stop"]];
  }
  const { id, name, arguments: args } = tool;
  const call = (more: object): object => ({ tool_calls: [{ index: 0, ...more }] });
  const half = Math.ceil(args.length / 2);
  const begun = {
    role: "assistant",
    content: null,
    ...call({ id, type: "function", function: { name, arguments: "" } }),
  };
  const halves = [args.slice(0, half), args.slice(half)].map(
    (one) => [call({ function: { arguments: one } }), null] as const,
  );
  return [[begun, null], ...halves, [{}, "tool_calls"]];
}

function usageOf(messages: readonly Message[], { text, tool }: Reply): object {
  const prompt_tokens = messages.reduce((sum, { content }) => sum + tokensOf(textOf(content)), 0);
  const completion_tokens = tokensOf(text ?? `${tool.name} ${tool.arguments}`);
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}
