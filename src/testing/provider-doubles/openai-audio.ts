import { audioFormat, spokenAudio, wordMs, wordsIn } from "./audio-format.ts";
import { jsonObject, type Route, sendJson, sendPieces } from "./double.ts";
import { formOf } from "./form-of.ts";
import { hearAll } from "./hearing.ts";
import { pieces, serverEvent } from "./openai-wire.ts";
import { openaiWords } from "./openai-words.ts";
import { audioOf, wavHeader } from "./wav.ts";

/** As SpeechCreateParams of openai 7.57 has them; pcm is 24 kHz, 16 bits, without a header. */
const speechTypes: Readonly<Record<string, string>> = {
  mp3: "audio/mpeg",
  opus: "audio/opus",
  aac: "audio/aac",
  flac: "audio/flac",
  wav: "audio/wav",
  pcm: "audio/pcm",
};

export const speechRoute: Route = {
  method: "POST",
  path: /^\/audio\/speech$/u,
  async answer({ body }, response) {
    const request = jsonObject(body);
    const missing = ["model", "input", "voice"].find((name) => request[name] === undefined);
    if (missing !== undefined) {
      const { status, body: said } = openaiWords.missing(missing);
      sendJson(response, said, status);
      return;
    }
    const asked = String(request["response_format"] ?? "mp3");
    const format = audioFormat(asked === "wav" ? "pcm" : asked, 24_000);
    const words = wordsIn(String(request["input"])).map(() => spokenAudio(format, wordMs));
    response.writeHead(200, { "content-type": speechTypes[asked] ?? "application/octet-stream" });
    await sendPieces(response, asked === "wav" ? [wavHeader(format), ...words] : words);
  },
};

/** Shapes: Transcription, TranscriptionVerbose and TranscriptionStreamEvent of openai 7.57. */
export const transcriptionsRoute: Route = {
  method: "POST",
  path: /^\/audio\/transcriptions$/u,
  async answer(request, response) {
    const { field, file } = await formOf(request);
    const missing = file === undefined ? "file" : field("model") === undefined ? "model" : undefined;
    if (missing !== undefined) {
      const { status, body } = openaiWords.missing(missing);
      sendJson(response, body, status);
      return;
    }
    const { transcript: text, duration, words } = hearAll(...audioOf(file ?? Buffer.alloc(0), audioFormat(null, 0)));
    const usage = { type: "duration", seconds: Math.ceil(duration) };
    if (field("stream") === "true") {
      const deltas = pieces(text).map((delta) => ({ type: "transcript.text.delta", delta }));
      response.writeHead(200, { "content-type": "text/event-stream" });
      const events = [...deltas, { type: "transcript.text.done", text }];
      await sendPieces(response, [...events.map((event) => serverEvent(event)), serverEvent("[DONE]")]);
      return;
    }
    const asked = field("response_format") ?? "json";
    const verbose = { task: "transcribe", language: "english", duration, text, words, segments: [], usage };
    if (asked === "text") response.writeHead(200, { "content-type": "text/plain" }).end(text);
    else sendJson(response, asked === "verbose_json" ? verbose : { text, usage });
  },
};
