import { type AudioFormat, audioFormat, spokenAudio, wordMs, wordsIn } from "./audio-format.ts";
import type { OpenRefusal, Refusal, RefusedSocket } from "./double.ts";

export const elevenlabsRefusal = (status: number, word: string, message: string): Refusal => ({
  status,
  body: { detail: { status: word, message } },
});

/** What it refuses a key with, and why. */
export const elevenlabsReasons = {
  wrongKey: ["invalid_api_key", "Invalid API key"],
  quotaExceeded: ["quota_exceeded", "This request exceeds your quota."],
} as const;

/** Of the sockets that speak. */
export function refuseSpeaking(kind: OpenRefusal): RefusedSocket {
  const [error, message] = elevenlabsReasons[kind];
  return { frame: { message, error, code: 1_008 }, closeCode: 1_008, closeReason: message };
}

/** Of `pcm_16000`, `ulaw_8000`, `mp3_44100_128` and their like. */
export function formatNamed(name: string | null): AudioFormat {
  const [codec = "mp3", rate] = (name ?? "mp3_44100_128").split("_");
  return audioFormat(codec, Number(rate));
}

export function contentTypeOf(outputFormat: string | null): string {
  const types: Readonly<Record<string, string>> = { pcm: "audio/pcm", ulaw: "audio/basic", alaw: "audio/alaw" };
  return types[outputFormat?.split("_")[0] ?? "mp3"] ?? "audio/mpeg";
}

/** When each character is spoken, in milliseconds from the beginning of its chunk. */
export interface Timing {
  readonly chars: readonly string[];
  readonly charStartTimesMs: readonly number[];
  readonly charDurationsMs: readonly number[];
}

export function timingOf(text: string): Timing {
  const chars = [...text];
  const startOf = (at: number): number => Math.round((at * wordsIn(text).length * wordMs) / chars.length);
  const charStartTimesMs = chars.map((_char, at) => startOf(at));
  return { chars, charStartTimesMs, charDurationsMs: charStartTimesMs.map((start, at) => startOf(at + 1) - start) };
}

/** The text of one stream of speech. A word that may still go on is kept until a space, a flush or the end. */
export class PendingText {
  #text = "";

  add(text: string): void {
    this.#text += text;
  }

  /** What can be said now. */
  take(isWhole: boolean): string {
    const end = isWhole ? this.#text.length : this.#text.search(/\S*$/u);
    const said = this.#text.slice(0, end);
    if (wordsIn(said).length === 0) return "";
    this.#text = this.#text.slice(end);
    return said;
  }
}

/** As AudioOutput and AudioOutputMulti of @elevenlabs/elevenlabs-js 2.73 have it. */
export function spokenChunk(text: string, format: AudioFormat): object {
  const timing = timingOf(text);
  return {
    audio: spokenAudio(format, wordsIn(text).length * wordMs).toString("base64"),
    isFinal: null,
    alignment: timing,
    normalizedAlignment: timing,
  };
}

/** What both sockets tell of a message that they cannot read, and how they close then (elevenlabs-python#167). */
export const unreadable = {
  message: "Could not parse input message, make sure it is a json and follows the schema outlined in protocol.",
  error: "invalid_input_message",
  code: 1_008,
};
