/** How the bytes of an audio stream are to be read. `opaque` has no samples of a fixed size: opus, mp3, any container. */
export interface AudioFormat {
  readonly encoding: "linear16" | "mulaw" | "alaw" | "opaque";
  /** In hertz. */
  readonly sampleRate: number;
  readonly channels: number;
}

/** Counted as 8,000 bytes a second, all of them speech. */
const opaqueAudio: AudioFormat = { encoding: "opaque", sampleRate: 8_000, channels: 1 };

/** Below this a sample of 16 bits is silence, as are the two lowest segments of mu-law and A-law. */
const loudSample = 500;
const loudSegment = 0x20;

export const bytesPerSample = ({ encoding }: AudioFormat): number => (encoding === "linear16" ? 2 : 1);

export const bytesPerSecond = (format: AudioFormat): number =>
  bytesPerSample(format) * format.channels * format.sampleRate;

/** The format that a query or a body names; opaque, unless it is one of whole samples. */
export function audioFormat(encoding: string | null, sampleRate: number, channels = 1): AudioFormat {
  const known = { linear16: "linear16", pcm: "linear16", mulaw: "mulaw", ulaw: "mulaw", alaw: "alaw" } as const;
  const found = Object.entries(known).find(([name]) => name === encoding)?.[1];
  return found === undefined ? opaqueAudio : { encoding: found, sampleRate, channels };
}

export function isLoud(bytes: Buffer, { encoding }: AudioFormat): boolean {
  if (encoding === "opaque") return true;
  if (encoding === "mulaw") return bytes.some((byte) => (~byte & 0x7f) >= loudSegment);
  if (encoding === "alaw") return bytes.some((byte) => ((byte ^ 0x55) & 0x7f) >= loudSegment);
  for (let at = 0; at + 1 < bytes.length; at += 2) if (Math.abs(bytes.readInt16LE(at)) >= loudSample) return true;
  return false;
}

/** What a double says: a square wave, so that a double that is played it hears speech. */
export function spokenAudio(format: AudioFormat, milliseconds: number): Buffer {
  const samples = Math.floor((format.sampleRate * milliseconds) / 1_000) * format.channels;
  const audio = Buffer.alloc(samples * bytesPerSample(format));
  const halves = { linear16: [8_000, -8_000], mulaw: [0xaf, 0x2f], alaw: [0x85, 0x05], opaque: [0x55, 0x55] } as const;
  const [high, low] = halves[format.encoding];
  for (let at = 0; at < samples; at += 1) {
    const sample = Math.floor(at / (20 * format.channels)) % 2 === 0 ? high : low;
    if (format.encoding === "linear16") audio.writeInt16LE(sample, at * 2);
    else audio[at] = sample;
  }
  return audio;
}

/** How long a double takes to say a word, in milliseconds. */
export const wordMs = 100;

export const wordsIn = (text: string): readonly string[] => text.split(/\s+/u).filter((word) => word !== "");
