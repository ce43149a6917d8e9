import { randomUUID } from "node:crypto";
import type { Account } from "./account.ts";
import { type AudioFormat, audioFormat, spokenAudio, wordMs, wordsIn } from "./audio-format.ts";
import { jsonObject, type Refusal, type Route, type SocketRoute, sendJson, sendPieces } from "./double.ts";
import { wavHeader } from "./wav.ts";
import { isVoice, voiceNotFound } from "./xai-voices.ts";
import { refuseSocket, xaiRefusal } from "./xai-wire.ts";

// docs.x.ai/developers/rest-api-reference/inference/voice, and …/model-capabilities/audio/text-to-speech.

const contentTypes: Readonly<Record<string, string>> = {
  mp3: "audio/mpeg",
  wav: "audio/wav",
  pcm: "audio/pcm",
  mulaw: "audio/basic",
  ulaw: "audio/basic",
  alaw: "audio/alaw",
};

const sampleRates = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000];
/** The longest text of one request, and of one message of a socket, in characters. */
const maxText = 15_000;

/** What is asked for, over HTTP or in a socket's query. */
interface Asked {
  readonly language: unknown;
  readonly voice: unknown;
  readonly codec: string;
  readonly rate: number;
}

function refuseSpeech({ language, voice, codec, rate }: Asked, account: Account): Refusal | undefined {
  if (typeof language !== "string" || language === "") return xaiRefusal(400, "Invalid `language`.");
  if (contentTypes[codec] === undefined) return xaiRefusal(400, "Invalid `codec`.");
  if (!sampleRates.includes(rate)) return xaiRefusal(400, "Invalid `sample_rate`.");
  return typeof voice === "string" && isVoice(voice, account) ? undefined : voiceNotFound;
}

/** `wav` is a header and pcm. */
const formatOf = (codec: string, rate: number): AudioFormat => audioFormat(codec === "wav" ? "pcm" : codec, rate);

const spokenIn = (text: string, codec: string, format: AudioFormat): Buffer[] => {
  const words = wordsIn(text).map(() => spokenAudio(format, wordMs));
  return codec === "wav" ? [wavHeader(format), ...words] : words;
};

export const xaiSpeechRoute: Route = {
  method: "POST",
  path: /^\/tts$/u,
  async answer({ body, account }, response) {
    const { text, language, voice_id: voice = "eve", output_format: format } = jsonObject(body);
    const { codec = "mp3", sample_rate: rate = 24_000 } = (format ?? {}) as { codec?: string; sample_rate?: number };
    const refusal =
      typeof text === "string" && text.length <= maxText
        ? refuseSpeech({ language, voice, codec, rate }, account)
        : xaiRefusal(400, "Invalid `text`.");
    if (refusal !== undefined) {
      sendJson(response, refusal.body, refusal.status);
      return;
    }
    response.writeHead(200, { "content-type": contentTypes[codec] });
    await sendPieces(response, spokenIn(String(text), codec, formatOf(codec, rate)));
  },
};

const askedIn = (query: URLSearchParams): Asked => ({
  language: query.get("language"),
  voice: query.get("voice") ?? "eve",
  codec: query.get("codec") ?? "mp3",
  rate: Number(query.get("sample_rate") ?? 24_000),
});

/** `wss …/tts`: text is kept until `text.done`, and the socket serves the next utterance then. */
export const xaiSpeechSocket: SocketRoute = {
  path: /^\/tts$/u,
  refuse: ({ searchParams }, account) => refuseSpeech(askedIn(searchParams), account),
  refuseOpen: refuseSocket,
  serve(socket, { searchParams: query }) {
    const { codec, rate } = askedIn(query);
    const format = formatOf(codec, rate);
    const send = (message: object): void => socket.send(JSON.stringify(message));
    let text = "";
    socket.on("message", (data: Buffer) => {
      const { type, delta, replace = {} } = jsonObject(data);
      if (type === "text.delta" && typeof delta === "string" && delta.length <= maxText) text += delta;
      else if (type === "text.clear") {
        text = "";
        send({ type: "audio.clear" });
      } else if (type === "text.done") {
        for (const audio of spokenIn(text, codec, format))
          send({ type: "audio.delta", delta: audio.toString("base64") });
        text = "";
        send({ type: "audio.done", trace_id: randomUUID() });
      } else if (type === "session.update") send({ type: "session.updated", replace });
      else send({ type: "error", message: "Invalid message." });
    });
  },
};
