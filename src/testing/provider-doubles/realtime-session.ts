import { type AudioFormat, audioFormat } from "./audio-format.ts";
import type { DoubleSocket } from "./double.ts";
import { Hearing } from "./hearing.ts";
import type { Json } from "./made-response.ts";
import { newId, type Turn, textOf } from "./openai-wire.ts";
import { realtimeReply } from "./realtime-reply.ts";

const ofJson = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});

/** Of `{ type: "audio/pcm", rate: 24000 }`, and of `audio/pcmu` and `audio/pcma`, which have 8 kHz. */
function formatOf(value: unknown): AudioFormat {
  const { type = "audio/pcm", rate = 24_000 } = ofJson(value);
  if (type === "audio/pcmu") return audioFormat("mulaw", 8_000);
  if (type === "audio/pcma") return audioFormat("alaw", 8_000);
  return audioFormat("pcm", Number(rate));
}

/** One session of the realtime API: it hears audio, ends turns at a pause, and answers what was heard or written last. */
export class RealtimeSession {
  readonly #socket: DoubleSocket;
  readonly #isTranscription: boolean;
  #session: Json;
  #hearing: Hearing;
  #turn: Turn = { text: "", isUser: true };
  /** Of the audio that is being heard. */
  #itemId = newId("item");

  constructor(socket: DoubleSocket, { searchParams }: URL) {
    const type = searchParams.get("intent") === "transcription" ? "transcription" : "realtime";
    const audio = { input: { turn_detection: { type: "server_vad" } }, output: {} };
    this.#socket = socket;
    this.#isTranscription = type === "transcription";
    this.#session = { id: newId("sess"), object: "realtime.session", type, model: searchParams.get("model"), audio };
    this.#hearing = new Hearing(formatOf(undefined));
    this.#send({ type: "session.created", session: this.#session });
  }

  obey(event: Json): void {
    const { type, item_id, content_index, audio_end_ms } = event;
    switch (type) {
      case "session.update":
        this.#update(ofJson(event["session"]));
        break;
      case "conversation.item.create":
        this.#add(ofJson(event["item"]));
        break;
      case "conversation.item.delete":
        this.#send({ type: "conversation.item.deleted", item_id });
        break;
      case "conversation.item.truncate":
        this.#send({ type: "conversation.item.truncated", item_id, content_index, audio_end_ms });
        break;
      case "input_audio_buffer.append":
        this.#hear(String(event["audio"] ?? ""));
        break;
      case "input_audio_buffer.commit":
        this.#commit();
        break;
      case "input_audio_buffer.clear":
        this.#hearing.endTurn();
        this.#send({ type: "input_audio_buffer.cleared" });
        break;
      case "response.create":
        this.#respond(ofJson(event["response"]));
        break;
      default:
        this.#refuse(event);
    }
  }

  #update(asked: Json): void {
    const [{ audio: old }, { audio: wanted }] = [this.#session, asked];
    const [before, given] = [ofJson(old), ofJson(wanted)];
    const audio = {
      input: { ...ofJson(before["input"]), ...ofJson(given["input"]) },
      output: { ...ofJson(before["output"]), ...ofJson(given["output"]) },
    };
    this.#session = { ...this.#session, ...asked, audio };
    if (ofJson(given["input"])["format"] !== undefined) this.#hearing = new Hearing(formatOf(this.#input["format"]));
    this.#send({ type: "session.updated", session: this.#session });
  }

  #add(asked: Json): void {
    const item: Json = { id: newId("item"), object: "realtime.item", status: "completed", ...asked };
    const text = textOf(item["content"] ?? item["output"]);
    this.#turn = { text, isUser: item["type"] !== "function_call_output" };
    this.#tellItem(item);
  }

  #hear(audio: string): void {
    const { turn_detection: detection } = this.#input;
    const { silence_duration_ms: pauseMs = 500, create_response: answers = true } = ofJson(detection);
    const hearing = this.#hearing;
    for (const heard of hearing.hear(Buffer.from(audio, "base64"))) {
      if (detection === null) continue;
      const at = Math.round(hearing.position * 1_000);
      if (heard === "started") this.#tellSpeech("started", { audio_start_ms: at });
      if (heard !== "silent" || !hearing.speaking || hearing.pauseMs < Number(pauseMs)) continue;
      this.#tellSpeech("stopped", { audio_end_ms: at });
      this.#commit();
      if (answers !== false && !this.#isTranscription) this.#respond({});
    }
  }

  #commit(): void {
    const { transcript } = this.#hearing;
    const item_id = this.#itemId;
    this.#hearing.endTurn();
    this.#itemId = newId("item");
    this.#turn = { text: transcript, isUser: true };
    this.#send({ type: "input_audio_buffer.committed", previous_item_id: null, item_id });
    const content = [{ type: "input_audio", transcript: null }];
    this.#tellItem({
      id: item_id,
      object: "realtime.item",
      type: "message",
      status: "completed",
      role: "user",
      content,
    });
    if (this.#input["transcription"] == null) return;
    const [type, place] = ["conversation.item.input_audio_transcription", { item_id, content_index: 0 }];
    const usage = { type: "duration", seconds: Math.ceil(this.#hearing.duration) };
    this.#send({ type: `${type}.delta`, ...place, delta: transcript });
    this.#send({ type: `${type}.completed`, ...place, transcript, usage });
  }

  #respond(asked: Json): void {
    const { tools, tool_choice: choice, output_modalities: modalities } = { ...this.#session, ...asked };
    const isSpoken = !Array.isArray(modalities) || modalities.includes("audio");
    const format = formatOf(ofJson(ofJson(this.#session["audio"])["output"])["format"]);
    const { metadata } = asked;
    for (const event of realtimeReply({ turn: this.#turn, tools, choice, isSpoken, format })) {
      const { response } = event;
      this.#send(response === undefined ? event : { ...event, response: { ...ofJson(response), metadata } });
    }
  }

  #refuse({ type, event_id = null }: Json): void {
    const message = `Invalid value: '${String(type)}'.`;
    this.#send({
      type: "error",
      error: { type: "invalid_request_error", code: "invalid_value", message, param: "type", event_id },
    });
  }

  get #input(): Json {
    return ofJson(ofJson(this.#session["audio"])["input"]);
  }

  #tellItem(item: Json): void {
    for (const type of ["conversation.item.added", "conversation.item.done"])
      this.#send({ type, previous_item_id: null, item });
  }

  #tellSpeech(what: "started" | "stopped", more: Json): void {
    this.#send({ type: `input_audio_buffer.speech_${what}`, item_id: this.#itemId, ...more });
  }

  #send(event: Json): void {
    this.#socket.send(JSON.stringify({ event_id: newId("event"), ...event }));
  }
}
