import { audioFormat } from "./audio-format.ts";
import { jsonObject, type Route, type SocketRoute, sendJson } from "./double.ts";
import { formOf } from "./form-of.ts";
import { Hearing, hearAll, roundedSeconds } from "./hearing.ts";
import { audioOf } from "./wav.ts";
import { refuseSocket, xaiRefusal } from "./xai-wire.ts";

// docs.x.ai/developers/rest-api-reference/inference/speech-to-text.

const wordsOf = ({ words }: Hearing): object[] => words.map(({ word, start, end }) => ({ text: word, start, end }));

export const xaiTranscriptionRoute: Route = {
  method: "POST",
  path: /^\/stt$/u,
  async answer(request, response) {
    const { field, file } = await formOf(request);
    if (file === undefined) {
      const { status, body } = xaiRefusal(400, "No audio: send a `file` or a `url`.");
      sendJson(response, body, status);
      return;
    }
    const told = audioFormat(field("audio_format") ?? null, Number(field("sample_rate")) || 16_000);
    const hearing = hearAll(...audioOf(file, told));
    const duration = Math.round(hearing.duration * 100) / 100;
    const words = wordsOf(hearing);
    sendJson(response, { text: hearing.transcript, language: "", duration, ...(words.length === 0 ? {} : { words }) });
  },
};

export const xaiTranscriptionSocket: SocketRoute = {
  path: /^\/stt$/u,
  refuseOpen: refuseSocket,
  serve(socket, { searchParams: query }) {
    const format = audioFormat(query.get("encoding") ?? "pcm", Number(query.get("sample_rate")) || 16_000);
    const hearing = new Hearing(format);
    const endpointingMs = Math.max(10, Number(query.get("endpointing") ?? 10));
    let start = 0;
    const send = (message: object): void => socket.send(JSON.stringify(message));
    const tell = (isFinal: boolean): void =>
      send({
        type: "transcript.partial",
        text: hearing.transcript,
        words: wordsOf(hearing),
        is_final: isFinal,
        speech_final: isFinal,
        start,
        duration: roundedSeconds(hearing.position - start),
      });
    const endTurn = (): void => {
      start = hearing.position;
      hearing.endTurn();
    };
    send({ type: "transcript.created" });
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) {
        for (const heard of hearing.hear(data)) {
          if (heard === "word" && query.get("interim_results") === "true") tell(false);
          if (heard !== "silent" || !hearing.speaking || hearing.pauseMs < endpointingMs) continue;
          tell(true);
          endTurn();
        }
      } else if (jsonObject(data)["type"] === "audio.done") {
        // What no speech_final covered; the next turn may follow on the same socket.
        const { transcript: text, duration } = hearing;
        send({ type: "transcript.done", text, words: wordsOf(hearing), duration });
        endTurn();
      }
    });
  },
};
