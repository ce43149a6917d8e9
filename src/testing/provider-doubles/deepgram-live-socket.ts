import {
  alternative,
  deepgramRefusedSocket,
  formatOf,
  modelMetadata,
  newRequestId,
  recordingMetadata,
  refuseQuery,
} from "./deepgram-wire.ts";
import { type DoubleSocket, jsonObject, type SocketRoute } from "./double.ts";
import { Hearing, roundedSeconds } from "./hearing.ts";

/** `wss …/v1/listen`, as developers.deepgram.com describes it under endpointing, utterance-end and finalize. */
export const deepgramLiveSocket: SocketRoute = {
  path: /^\/v1\/listen$/u,
  refuse: refuseQuery,
  refuseOpen: deepgramRefusedSocket,
  serve(socket, url) {
    const transcription = new LiveTranscription(socket, url);
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) transcription.hear(data);
      else transcription.obey(String(jsonObject(data)["type"]));
    });
  },
};

class LiveTranscription {
  readonly #socket: DoubleSocket;
  readonly #url: URL;
  readonly #requestId = newRequestId();
  readonly #hearing: Hearing;
  readonly #isOpaque: boolean;
  readonly #interim: boolean;
  readonly #endpointingMs: number;
  readonly #utteranceEndMs: number;
  readonly #vadEvents: boolean;
  /** Where the words that are not final yet begin, in seconds. */
  #segmentStart = 0;
  #lastWordEnd: number | undefined;

  constructor(socket: DoubleSocket, url: URL) {
    const query = url.searchParams;
    this.#socket = socket;
    this.#url = url;
    const format = formatOf(url);
    this.#hearing = new Hearing(format);
    this.#isOpaque = format.encoding === "opaque";
    this.#interim = query.get("interim_results") === "true";
    this.#endpointingMs = endpointingOf(query.get("endpointing"));
    this.#utteranceEndMs = Number(query.get("utterance_end_ms") ?? Number.NaN);
    this.#vadEvents = query.get("vad_events") === "true";
  }

  hear(audio: Buffer): void {
    const hearing = this.#hearing;
    for (const heard of hearing.hear(audio)) {
      if (heard === "started" && this.#vadEvents)
        this.#send({ type: "SpeechStarted", channel: [0], timestamp: hearing.position });
      if (heard === "word") {
        this.#lastWordEnd = hearing.position;
        if (this.#interim) this.#sendResults({});
      }
      if (heard === "silent") this.#pause();
    }
    // No pause can be heard in it, so that nothing would be told before its end.
    if (this.#isOpaque && !this.#interim && hearing.words.length > 0) this.#sendResults({ is_final: true });
  }

  obey(type: string): void {
    if (type === "Finalize") this.#sendResults({ is_final: true, from_finalize: true });
    if (type !== "CloseStream") return;
    const { duration } = this.#hearing;
    this.#sendResults({ is_final: true, speech_final: true });
    this.#send({ type: "Metadata", ...recordingMetadata(this.#url, this.#requestId, this.#requestId, duration) });
    this.#socket.close(1_000);
  }

  #pause(): void {
    const hearing = this.#hearing;
    if (hearing.speaking && hearing.pauseMs >= this.#endpointingMs) {
      this.#sendResults({ is_final: true, speech_final: true });
      hearing.endTurn();
    }
    if (this.#lastWordEnd === undefined || !(hearing.pauseMs >= this.#utteranceEndMs)) return;
    if (hearing.words.length > 0) this.#sendResults({ is_final: true });
    this.#send({ type: "UtteranceEnd", channel: [0, 1], last_word_end: this.#lastWordEnd });
    this.#lastWordEnd = undefined;
  }

  #sendResults(flags: { is_final?: true; speech_final?: true; from_finalize?: true }): void {
    const { words, position } = this.#hearing;
    this.#send({
      type: "Results",
      channel_index: [0, 1],
      duration: roundedSeconds(position - this.#segmentStart),
      start: this.#segmentStart,
      is_final: false,
      speech_final: false,
      from_finalize: false,
      ...flags,
      channel: { alternatives: [alternative(words)] },
      metadata: { request_id: this.#requestId, ...modelMetadata(this.#url) },
    });
    if (!flags.is_final) return;
    this.#segmentStart = position;
    this.#hearing.forgetWords();
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}

/** In milliseconds: 10 where nothing is said, never where it is switched off. */
function endpointingOf(asked: string | null): number {
  if (asked === "false") return Number.POSITIVE_INFINITY;
  return Number(asked) || 10;
}
