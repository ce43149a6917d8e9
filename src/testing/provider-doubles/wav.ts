import { type AudioFormat, audioFormat, bytesPerSample, bytesPerSecond } from "./audio-format.ts";

const headerBytes = 44;
const codecs = { linear16: 1, alaw: 6, mulaw: 7 } as const;

/** The beginning of a wav file of unknown length. */
export function wavHeader(format: AudioFormat): Buffer {
  const { encoding, channels, sampleRate } = format;
  const header = Buffer.alloc(headerBytes);
  header.write("RIFF", 0);
  header.writeUInt32LE(0xffff_ffff, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(encoding === "opaque" ? 1 : codecs[encoding], 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(bytesPerSecond(format), 28);
  header.writeUInt16LE(bytesPerSample(format) * channels, 32);
  header.writeUInt16LE(bytesPerSample(format) * 8, 34);
  header.write("data", 36);
  header.writeUInt32LE(0xffff_ffff, 40);
  return header;
}

/** The samples of a wav file; of any other file all of it, as audio of the format that was told. */
export function audioOf(file: Buffer, told: AudioFormat): readonly [Buffer, AudioFormat] {
  if (file.length < headerBytes || file.toString("latin1", 0, 4) !== "RIFF") return [file, told];
  const encoding = Object.entries(codecs).find(([, codec]) => codec === file.readUInt16LE(20))?.[0] ?? null;
  return [file.subarray(headerBytes), audioFormat(encoding, file.readUInt32LE(24), file.readUInt16LE(22))];
}
