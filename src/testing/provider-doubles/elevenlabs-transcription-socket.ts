import { jsonObject, type SocketRoute } from "./double.ts";
import { elevenlabsReasons, elevenlabsRefusal, formatNamed } from "./elevenlabs-wire.ts";
import { Hearing } from "./hearing.ts";

/** Shapes: those of the messages of @elevenlabs/elevenlabs-js 2.73, wrapper/realtime/connection.d.ts. */
export const transcriptionSocket: SocketRoute = {
  path: /^\/v1\/speech-to-text\/realtime$/u,
  refuse: ({ searchParams }) =>
    searchParams.get("model_id") ? undefined : elevenlabsRefusal(400, "invalid_model", "No model."),
  refuseOpen(kind) {
    const [, error] = elevenlabsReasons[kind];
    const message_type = kind === "wrongKey" ? "auth_error" : "quota_exceeded";
    return { frame: { message_type, error }, closeCode: 1_008, closeReason: error };
  },
  serve(socket, { searchParams: query }) {
    const format = formatNamed(query.get("audio_format") ?? "pcm_16000");
    const hearing = new Hearing(format);
    const byVoice = query.get("commit_strategy") === "vad";
    const pauseMs = Number(query.get("vad_silence_threshold_secs") ?? 1.5) * 1_000;
    const send = (message_type: string, message: object): void =>
      socket.send(JSON.stringify({ message_type, ...message }));
    const commit = (): void => {
      const { transcript: text, words } = hearing;
      send("committed_transcript", { text });
      const timed = words.map(({ word, ...times }) => ({ text: word, ...times, type: "word" }));
      if (["include_timestamps", "include_language_detection"].some((name) => query.get(name) === "true"))
        send("committed_transcript_with_timestamps", { text, language_code: "en", words: timed });
      hearing.endTurn();
    };
    send("session_started", {
      session_id: "double",
      config: {
        sample_rate: format.sampleRate,
        audio_format: query.get("audio_format") ?? "pcm_16000",
        commit_strategy: byVoice ? "vad" : "manual",
        model_id: query.get("model_id"),
      },
    });
    socket.on("message", (data: Buffer) => {
      const { audio_base_64: audio, commit: commits } = jsonObject(data);
      for (const heard of hearing.hear(Buffer.from(String(audio ?? ""), "base64"))) {
        if (heard === "word") send("partial_transcript", { text: hearing.transcript });
        if (heard === "silent" && byVoice && hearing.speaking && hearing.pauseMs >= pauseMs) commit();
      }
      if (commits === true) commit();
    });
  },
};
