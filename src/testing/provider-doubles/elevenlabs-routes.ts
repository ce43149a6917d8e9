import { audioFormat, spokenAudio, wordMs, wordsIn } from "./audio-format.ts";
import { type DoubleRequest, jsonObject, type Route, sendJson, sendPieces } from "./double.ts";
import { contentTypeOf, formatNamed, timingOf } from "./elevenlabs-wire.ts";
import { formOf } from "./form-of.ts";
import { hearAll } from "./hearing.ts";
import { audioOf } from "./wav.ts";

const voices = [
  {
    voice_id: "21m00Tcm4TlvDq8ikWAM",
    name: "Rachel",
    category: "premade",
    labels: { accent: "american" },
    is_owner: false,
  },
  { voice_id: "double", name: "Double", category: "cloned", labels: {}, is_owner: true },
];

function textOf({ body }: DoubleRequest): string | undefined {
  const { text } = jsonObject(body);
  return typeof text === "string" && text !== "" ? text : undefined;
}

const textMissing = { detail: [{ loc: ["body", "text"], msg: "Field required", type: "missing" }] };

export const elevenlabsRoutes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/v1\/models$/u,
    needsScope: true,
    answer: (_request, response) =>
      sendJson(response, [{ model_id: "eleven_flash_v2_5", name: "Flash v2.5", can_do_text_to_speech: true }]),
  },
  {
    method: "GET",
    path: /^\/v1\/voices$/u,
    needsScope: true,
    answer: (_request, response) => sendJson(response, { voices }),
  },
  {
    method: "GET",
    path: /^\/v2\/voices$/u,
    needsScope: true,
    answer({ url: { searchParams } }, response) {
      const wanted = searchParams.getAll("voice_ids").flatMap((ids) => ids.split(","));
      const found = voices.filter(({ voice_id }) => wanted.length === 0 || wanted.includes(voice_id));
      const from = Number(searchParams.get("next_page_token")) || 0;
      const to = from + (Number(searchParams.get("page_size")) || 10);
      sendJson(response, {
        voices: found.slice(from, to),
        has_more: to < found.length,
        total_count: found.length,
        next_page_token: to < found.length ? String(to) : null,
      });
    },
  },
  {
    method: "POST",
    path: /^\/v1\/speech-to-text$/u,
    async answer(request, response) {
      const { field, file } = await formOf(request);
      const told = field("file_format") === "pcm_s16le_16" ? audioFormat("pcm", 16_000) : audioFormat(null, 0);
      const { transcript: text, words } = hearAll(...audioOf(file ?? Buffer.alloc(0), told));
      const timed = words.map(({ word, ...times }) => ({ text: word, ...times, type: "word", logprob: 0 }));
      sendJson(response, { language_code: "en", language_probability: 0.99, text, words: timed });
    },
  },
  {
    method: "POST",
    path: /^\/v1\/text-to-speech\/[^/]+(\/stream)?$/u,
    async answer(request, response) {
      const outputFormat = request.url.searchParams.get("output_format");
      const text = textOf(request);
      if (text === undefined) {
        sendJson(response, textMissing, 422);
        return;
      }
      response.writeHead(200, { "content-type": contentTypeOf(outputFormat) });
      const word = spokenAudio(formatNamed(outputFormat), wordMs);
      await sendPieces(
        response,
        wordsIn(text).map(() => word),
      );
    },
  },
  {
    method: "POST",
    path: /^\/v1\/text-to-speech\/[^/]+\/with-timestamps$/u,
    answer(request, response) {
      const text = textOf(request);
      if (text === undefined) {
        sendJson(response, textMissing, 422);
        return;
      }
      const { chars, charStartTimesMs: starts, charDurationsMs: durations } = timingOf(text);
      const alignment = {
        characters: chars,
        character_start_times_seconds: starts.map((start) => start / 1_000),
        character_end_times_seconds: starts.map((start, at) => (start + (durations[at] ?? 0)) / 1_000),
      };
      const format = formatNamed(request.url.searchParams.get("output_format"));
      const audio = spokenAudio(format, wordsIn(text).length * wordMs);
      sendJson(response, { audio_base64: audio.toString("base64"), alignment, normalized_alignment: alignment });
    },
  },
];
