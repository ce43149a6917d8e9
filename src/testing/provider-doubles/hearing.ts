import { type AudioFormat, bytesPerSample, bytesPerSecond, isLoud, wordMs } from "./audio-format.ts";

/** What a double hears, whatever is said: one word more with every tenth of a second of speech. */
const sentence = "hello I would like to know when you open tomorrow please".split(" ");
const stepMs = 10;

/** Times are in seconds from the beginning of the stream. */
export interface HeardWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** `started`: someone speaks after a pause. `word`: one word more. `silent`: ten milliseconds of a pause went by. */
export type Heard = "started" | "word" | "silent";

export const roundedSeconds = (seconds: number): number => Math.round(seconds * 1_000) / 1_000;

/** Listens to one audio stream in steps of ten milliseconds of audio; no clock decides anything. */
export class Hearing {
  /** Of the turn, without those that were forgotten. */
  words: HeardWord[] = [];
  /** Since somebody was last heard. */
  pauseMs = 0;
  /** In seconds. */
  position = 0;
  speaking = false;
  #spokenMs = 0;
  #said = 0;
  #bytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  readonly #format: AudioFormat;
  readonly #stepBytes: number;

  constructor(format: AudioFormat) {
    const { sampleRate, channels } = format;
    this.#format = format;
    this.#stepBytes = Math.floor((sampleRate * stepMs) / 1_000) * bytesPerSample(format) * channels;
  }

  get transcript(): string {
    return this.words.map(({ word }) => word).join(" ");
  }

  /** Of all audio that came, in seconds. */
  get duration(): number {
    return roundedSeconds(this.#bytes / bytesPerSecond(this.#format));
  }

  *hear(audio: Buffer): Generator<Heard> {
    this.#bytes += audio.length;
    const pending = Buffer.concat([this.#rest, audio]);
    const end = pending.length - (pending.length % this.#stepBytes);
    this.#rest = pending.subarray(end);
    for (let at = 0; at < end; at += this.#stepBytes) {
      this.position = roundedSeconds(this.position + stepMs / 1_000);
      if (isLoud(pending.subarray(at, at + this.#stepBytes), this.#format)) yield* this.#hearSpeech();
      else {
        this.pauseMs += stepMs;
        yield "silent";
      }
    }
  }

  /** Keeps the turn, and forgets the words that were told. */
  forgetWords(): void {
    this.words = [];
  }

  /** The next word begins the sentence again. */
  endTurn(): void {
    this.forgetWords();
    this.speaking = false;
    this.#spokenMs = 0;
    this.#said = 0;
  }

  *#hearSpeech(): Generator<Heard> {
    this.pauseMs = 0;
    this.#spokenMs += stepMs;
    if (!this.speaking) {
      this.speaking = true;
      yield "started";
    }
    const word = sentence[this.#said];
    if (word === undefined || this.#spokenMs < (this.#said + 1) * wordMs) return;
    this.#said += 1;
    const start = Math.max(0, roundedSeconds(this.position - wordMs / 1_000));
    this.words.push({ word, start, end: this.position });
    yield "word";
  }
}

/** What a double hears in a whole recording. */
export function hearAll(audio: Buffer, format: AudioFormat): Hearing {
  const hearing = new Hearing(format);
  for (const _heard of hearing.hear(audio));
  return hearing;
}
