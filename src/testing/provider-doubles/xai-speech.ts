import { audioFormat, spokenAudio, wordMs, wordsIn } from "./audio-format.ts";
import { jsonObject, type Route, sendJson, sendPieces } from "./double.ts";
import { wavHeader } from "./wav.ts";
import { xaiRefusal } from "./xai-wire.ts";

// docs.x.ai/developers/rest-api-reference/inference/voice, and …/model-capabilities/audio/text-to-speech.

const voices = ["eve", "ara", "rex", "sal", "leo"].map((id) => ({
  voice_id: id,
  name: `${id[0]?.toUpperCase()}${id.slice(1)}`,
}));
const contentTypes: Readonly<Record<string, string>> = {
  mp3: "audio/mpeg",
  wav: "audio/wav",
  pcm: "audio/pcm",
  mulaw: "audio/basic",
  ulaw: "audio/basic",
  alaw: "audio/alaw",
};

export const xaiSpeechRoutes: readonly Route[] = [
  {
    method: "POST",
    path: /^\/tts$/u,
    async answer({ body }, response) {
      const { text, language, voice_id: voice = "eve", output_format: asked } = jsonObject(body);
      const missing = [
        ["text", text],
        ["language", language],
      ].find(([, value]) => typeof value !== "string")?.[0];
      const unknown = voices.some(({ voice_id }) => voice_id === String(voice).toLowerCase()) ? undefined : "voice_id";
      if (missing !== undefined || unknown !== undefined) {
        const { status, body: said } = xaiRefusal(400, `Invalid \`${String(missing ?? unknown)}\`.`);
        sendJson(response, said, status);
        return;
      }
      const { codec = "mp3", sample_rate: rate = 24_000 } = (asked ?? {}) as { codec?: string; sample_rate?: number };
      const format = audioFormat(codec === "wav" ? "pcm" : codec, rate);
      const words = wordsIn(String(text)).map(() => spokenAudio(format, wordMs));
      response.writeHead(200, { "content-type": contentTypes[codec] ?? "application/octet-stream" });
      await sendPieces(response, codec === "wav" ? [wavHeader(format), ...words] : words);
    },
  },
  {
    method: "GET",
    path: /^\/tts\/voices$/u,
    answer: (_request, response) => sendJson(response, { voices }),
  },
  {
    method: "GET",
    path: /^\/tts\/voices\/[^/]+$/u,
    answer({ url }, response) {
      const id = url.pathname.split("/").at(-1)?.toLowerCase();
      const found = voices.find(({ voice_id }) => voice_id === id);
      if (found !== undefined) sendJson(response, found);
      else sendJson(response, { code: "Some requested entity was not found", error: "Voice not found." }, 404);
    },
  },
];
