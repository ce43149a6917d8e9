import { type AudioFormat, spokenAudio, wordMs, wordsIn } from "./audio-format.ts";
import type { Json } from "./made-response.ts";
import { newId, pieces, replyTo, type Turn, tokensOf } from "./openai-wire.ts";

/** What a response is made with, of its session or of its own. */
export interface Asked {
  readonly turn: Turn;
  readonly tools: unknown;
  readonly choice: unknown;
  readonly isSpoken: boolean;
  readonly format: AudioFormat;
}

/** The events of one response, in the order of the realtime API's GA version: RealtimeServerEvent of openai 7.57. */
export function realtimeReply(asked: Asked): readonly Json[] {
  const { turn, tools, choice } = asked;
  const { text, tool } = replyTo(turn, tools, choice);
  const response = { id: newId("resp"), object: "realtime.response" };
  const item =
    tool === undefined
      ? { id: newId("item"), object: "realtime.item", type: "message", role: "assistant" }
      : { id: newId("item"), object: "realtime.item", type: "function_call", call_id: tool.id, name: tool.name };
  const begun = { ...item, status: "in_progress", ...(tool === undefined ? { content: [] } : { arguments: "" }) };
  const done = {
    ...item,
    status: "completed",
    ...(tool === undefined ? { content: [partOf(asked, text)] } : { arguments: tool.arguments }),
  };
  const place = { response_id: response.id, item_id: item.id, output_index: 0, content_index: 0 };
  const usage = usageOf(tokensOf(turn.text), tokensOf(text ?? tool.arguments));
  return [
    { type: "response.created", response: { ...response, status: "in_progress", output: [], usage: null } },
    { type: "response.output_item.added", response_id: response.id, output_index: 0, item: begun },
    { type: "conversation.item.added", previous_item_id: null, item: begun },
    ...(tool === undefined ? saidEvents(asked, place, text) : calledEvents(place, tool.arguments)),
    { type: "response.output_item.done", response_id: response.id, output_index: 0, item: done },
    { type: "conversation.item.done", previous_item_id: null, item: done },
    { type: "response.done", response: { ...response, status: "completed", output: [done], usage } },
  ];
}

const partOf = ({ isSpoken }: Asked, text: string): Json =>
  isSpoken ? { type: "output_audio", transcript: text } : { type: "output_text", text };

/** A word at a time, each of them spoken. */
function saidEvents(asked: Asked, place: Json, text: string): readonly Json[] {
  const { isSpoken, format } = asked;
  const said = isSpoken ? "response.output_audio_transcript" : "response.output_text";
  const part = (one: string): Json => (isSpoken ? { type: "audio", transcript: one } : { type: "text", text: one });
  return [
    { type: "response.content_part.added", ...place, part: part("") },
    ...pieces(text).flatMap((delta) => [
      { type: `${said}.delta`, ...place, delta },
      ...wordsIn(isSpoken ? delta : "").map(() => ({
        type: "response.output_audio.delta",
        ...place,
        delta: spokenAudio(format, wordMs).toString("base64"),
      })),
    ]),
    ...(isSpoken ? [{ type: "response.output_audio.done", ...place }] : []),
    { type: `${said}.done`, ...place, ...(isSpoken ? { transcript: text } : { text }) },
    { type: "response.content_part.done", ...place, part: part(text) },
  ];
}

function calledEvents(place: Json, args: string): readonly Json[] {
  return [
    { type: "response.function_call_arguments.delta", ...place, delta: args },
    { type: "response.function_call_arguments.done", ...place, arguments: args },
  ];
}

function usageOf(input_tokens: number, output_tokens: number): Json {
  const details = { text_tokens: 0, audio_tokens: 0 };
  return {
    total_tokens: input_tokens + output_tokens,
    input_tokens,
    output_tokens,
    input_token_details: { ...details, text_tokens: input_tokens, cached_tokens: 0 },
    output_token_details: { ...details, text_tokens: output_tokens },
  };
}
