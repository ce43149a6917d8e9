import { createHash, randomUUID } from "node:crypto";
import { type AudioFormat, audioFormat } from "./audio-format.ts";
import type { OpenRefusal, Refusal, RefusedSocket } from "./double.ts";
import type { HeardWord } from "./hearing.ts";

// The shapes are those of the types of @deepgram/sdk 5.13: ListenV1Results, ListenV1Metadata, ListenV1Response.

/** As ListenV1Encoding, ListenV2Encoding and SpeakV1Encoding of @deepgram/sdk 5.13 have them. */
const encodings = "linear16 linear32 flac alaw mulaw amr-nb amr-wb opus ogg-opus speex g729 mp3 aac".split(" ");
const modelUuid = "30089e05-99d1-4376-b32e-c263170674af";
const defaultRates: Readonly<Record<string, number>> = { linear16: 16_000 };

export const deepgramRefusal = (status: number, code: string, message: string): Refusal => ({
  status,
  body: { err_code: code, err_msg: message, request_id: "request-double" },
});

/** What it refuses a key with, and why. */
export const deepgramReasons = {
  wrongKey: ["INVALID_AUTH", "Invalid credentials."],
  quotaExceeded: ["ASR_PAYMENT_REQUIRED", "Project does not have enough credits."],
} as const;

export function deepgramRefusedSocket(kind: OpenRefusal): RefusedSocket {
  const [variant, description] = deepgramReasons[kind];
  return {
    frame: { type: "Error", variant, description, message: description },
    closeCode: 1_008,
    closeReason: variant,
  };
}

/** What Deepgram refuses of a query before it listens. */
export const refuseQuery = (url: URL): Refusal | undefined =>
  url.searchParams.get("model") ? refuseEncoding(url) : deepgramRefusal(400, "INVALID_QUERY_PARAMETER", "No model.");

export function refuseEncoding({ searchParams }: URL): Refusal | undefined {
  const encoding = searchParams.get("encoding");
  if (encoding === null || encodings.includes(encoding)) return undefined;
  return deepgramRefusal(400, "INVALID_QUERY_PARAMETER", `Unknown encoding "${encoding}".`);
}

export function formatOf({ searchParams }: URL, rates: Readonly<Record<string, number>> = defaultRates): AudioFormat {
  const encoding = searchParams.get("encoding");
  const rate = Number(searchParams.get("sample_rate")) || (rates[encoding ?? ""] ?? 8_000);
  return audioFormat(encoding, rate, Number(searchParams.get("channels")) || 1);
}

export const newRequestId = (): string => randomUUID();

export const modelOf = ({ searchParams }: URL): string => searchParams.get("model") ?? "base";

export function modelMetadata(url: URL): { readonly model_info: object; readonly model_uuid: string } {
  const name = modelOf(url);
  return {
    model_info: { name, version: "2025-01-01.0", arch: name.split("-").slice(0, 2).join("-") },
    model_uuid: modelUuid,
  };
}

export function alternative(words: readonly HeardWord[]): object {
  return {
    transcript: words.map(({ word }) => word).join(" "),
    confidence: words.length === 0 ? 0 : 0.99,
    words: words.map((one) => ({ ...one, confidence: 0.99, punctuated_word: one.word })),
  };
}

/** What is told of a whole recording, or of a live stream that ended. */
export function recordingMetadata(url: URL, requestId: string, audio: Buffer | string, duration: number): object {
  const { model_info, model_uuid } = modelMetadata(url);
  return {
    transaction_key: "deprecated",
    request_id: requestId,
    sha256: createHash("sha256").update(audio).digest("hex"),
    created: "2026-01-01T00:00:00.000Z",
    duration,
    channels: Number(url.searchParams.get("channels")) || 1,
    models: [model_uuid],
    model_info: { [model_uuid]: model_info },
  };
}
