import { spokenAudio, wordMs, wordsIn } from "./audio-format.ts";
import {
  deepgramRefusedSocket,
  formatOf,
  modelMetadata,
  modelOf,
  newRequestId,
  refuseEncoding,
} from "./deepgram-wire.ts";
import { jsonObject, type SocketRoute } from "./double.ts";

/** SpeakV1SampleRate's defaults: 24 kHz for linear16, 8 kHz for telephony. */
export const speakRates = { linear16: 24_000 };

/** `wss …/v1/speak`: text is kept until `Flush`. Shapes: SpeakV1Metadata, SpeakV1Flushed, SpeakV1Cleared of @deepgram/sdk 5.13. */
export const deepgramSpeakSocket: SocketRoute = {
  path: /^\/v1\/speak$/u,
  refuse: refuseEncoding,
  refuseOpen: deepgramRefusedSocket,
  serve(socket, url) {
    // Without an encoding a socket speaks linear16, where an HTTP answer is an mp3.
    if (!url.searchParams.has("encoding")) url.searchParams.set("encoding", "linear16");
    const word = spokenAudio(formatOf(url, speakRates), wordMs);
    const { model_uuid } = modelMetadata(url);
    let text = "";
    let sequence = 0;
    const send = (message: object): void => socket.send(JSON.stringify(message));
    const answer = (type: "Flushed" | "Cleared"): void => {
      send({ type, sequence_id: sequence });
      sequence += 1;
    };
    const speak = (): void => {
      for (const _word of wordsIn(text)) socket.send(word);
      text = "";
    };
    send({
      type: "Metadata",
      request_id: newRequestId(),
      model_name: modelOf(url),
      model_version: "2025-01-01.0",
      model_uuid,
    });
    socket.on("message", (data: Buffer) => {
      const message = jsonObject(data);
      if (message["type"] === "Speak") text += String(message["text"] ?? "");
      if (message["type"] === "Clear") {
        text = "";
        answer("Cleared");
      }
      if (message["type"] === "Flush") {
        speak();
        answer("Flushed");
      }
      if (message["type"] === "Close") {
        speak();
        socket.close(1_000);
      }
    });
  },
};
