import { deepgramReasons, formatOf, newRequestId, refuseQuery } from "./deepgram-wire.ts";
import { type DoubleSocket, jsonObject, type SocketRoute } from "./double.ts";
import { Hearing, roundedSeconds } from "./hearing.ts";

/** After this much silence a turn is over for certain, in milliseconds; the confidence grows up to there. */
const certainPauseMs = 500;
/** As developers.deepgram.com/docs/flux/state says: an Update with every quarter of a second. */
const updateEvery = 0.25;

/** `wss …/v2/listen`: turns in place of results. Shapes: ListenV2Connected and ListenV2TurnInfo of @deepgram/sdk 5.13. */
export const deepgramFluxSocket: SocketRoute = {
  path: /^\/v2\/listen$/u,
  refuse: refuseQuery,
  // As ListenV2FatalError has it.
  refuseOpen(kind, framesSent) {
    const [code, description] = deepgramReasons[kind];
    const frame = { type: "Error", sequence_id: framesSent, code, description };
    return { frame, closeCode: 1_008, closeReason: code };
  },
  serve(socket, url) {
    const turns = new FluxTurns(socket, url);
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) turns.hear(data);
      else turns.obey(jsonObject(data));
    });
  },
};

class FluxTurns {
  readonly #socket: DoubleSocket;
  readonly #requestId = newRequestId();
  readonly #hearing: Hearing;
  #thresholds: Readonly<Record<string, number | undefined>>;
  #state: "initial" | "ongoing" | "awaiting end" = "initial";
  #sequenceId = 0;
  #turnIndex = 0;
  #updatedAt = 0;
  #windowStart = 0;

  constructor(socket: DoubleSocket, url: URL) {
    const given = (name: string): number | undefined => Number(url.searchParams.get(name)) || undefined;
    this.#socket = socket;
    this.#hearing = new Hearing(formatOf(url));
    this.#thresholds = {
      eot_threshold: given("eot_threshold") ?? 0.7,
      eager_eot_threshold: given("eager_eot_threshold"),
      eot_timeout_ms: given("eot_timeout_ms") ?? 5_000,
    };
    this.#send({ type: "Connected" });
  }

  hear(audio: Buffer): void {
    const hearing = this.#hearing;
    for (const heard of hearing.hear(audio)) {
      if (heard === "silent") this.#pause();
      else if (this.#state === "awaiting end") this.#turnTo("ongoing", "TurnResumed");
      if (heard === "word" && this.#state === "initial") this.#turnTo("ongoing", "StartOfTurn");
      if (hearing.position - this.#updatedAt >= updateEvery) this.#tell("Update");
    }
  }

  obey({ type, ...message }: Record<string, unknown>): void {
    if (type === "ForceEndTurn" && this.#state !== "initial") this.#endTurn("manual");
    if (type === "Configure") {
      this.#thresholds = { ...this.#thresholds, ...(message["thresholds"] as Record<string, number> | undefined) };
      this.#send({ type: "ConfigureSuccess", thresholds: this.#thresholds, keyterms: message["keyterms"] ?? [] });
    }
    if (type === "CloseStream") this.#socket.close(1_000);
  }

  #pause(): void {
    if (this.#state === "initial") return;
    const {
      eot_threshold: end = 0.7,
      eager_eot_threshold: eager = 2,
      eot_timeout_ms: timeout = 5_000,
    } = this.#thresholds;
    const confidence = this.#confidence;
    // A threshold of 1 leaves the end of a turn to ForceEndTurn and to the time limit (docs/flux/force-end-turn).
    if (end < 1 && confidence >= end) this.#endTurn("model");
    else if (this.#hearing.pauseMs >= timeout) this.#endTurn("timeout");
    else if (this.#state === "ongoing" && confidence >= eager) this.#turnTo("awaiting end", "EagerEndOfTurn");
  }

  get #confidence(): number {
    return roundedSeconds(Math.min(1, this.#hearing.pauseMs / certainPauseMs));
  }

  #turnTo(state: "ongoing" | "awaiting end", event: string): void {
    this.#state = state;
    this.#tell(event);
  }

  #endTurn(trigger: "model" | "manual" | "timeout"): void {
    this.#tell("EndOfTurn", { trigger });
    this.#state = "initial";
    this.#turnIndex += 1;
    this.#windowStart = this.#hearing.position;
    this.#hearing.endTurn();
  }

  #tell(event: string, more: object = {}): void {
    const { words, transcript, position } = this.#hearing;
    this.#updatedAt = position;
    this.#send({
      type: "TurnInfo",
      event,
      turn_index: this.#turnIndex,
      audio_window_start: this.#windowStart,
      audio_window_end: position,
      transcript,
      words: words.map((one) => ({ ...one, confidence: 0.99 })),
      end_of_turn_confidence: this.#confidence,
      ...more,
    });
  }

  #send({ type, ...rest }: { type: string; [name: string]: unknown }): void {
    const sequence_id = this.#sequenceId;
    this.#sequenceId += 1;
    this.#socket.send(JSON.stringify({ type, request_id: this.#requestId, sequence_id, ...rest }));
  }
}
