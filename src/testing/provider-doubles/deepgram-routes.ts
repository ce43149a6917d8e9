import { spokenAudio, wordMs, wordsIn } from "./audio-format.ts";
import { speakRates } from "./deepgram-speak-socket.ts";
import { alternative, formatOf, modelMetadata, modelOf, newRequestId, recordingMetadata } from "./deepgram-wire.ts";
import { jsonObject, type Route, sendJson, sendPieces } from "./double.ts";
import { hearAll } from "./hearing.ts";
import { audioOf } from "./wav.ts";

/** As ListModelsV1Response of @deepgram/sdk 5.13. */
const models = {
  stt: [
    {
      name: "nova-3",
      canonical_name: "nova-3",
      architecture: "nova-3",
      languages: ["en", "en-US"],
      version: "2025-01-01.0",
      uuid: modelMetadata(new URL("http://double/?model=nova-3")).model_uuid,
      batch: true,
      streaming: true,
      formatted_output: true,
    },
  ],
  tts: [
    {
      name: "thalia",
      canonical_name: "aura-2-thalia-en",
      architecture: "aura-2",
      languages: ["en", "en-US"],
      version: "2025-01-01.0",
      uuid: "ecb76e9d-f2db-4127-8060-79b05590d22f",
      metadata: { accent: "American", age: "Adult", tags: ["feminine"], use_cases: ["IVR"] },
    },
  ],
};

export const deepgramRoutes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/v1\/auth\/token$/u,
    needsScope: true,
    answer: (_request, response) => sendJson(response, { api_key_id: "double", scopes: ["usage:write"] }),
  },
  {
    method: "POST",
    path: /^\/v1\/auth\/grant$/u,
    needsScope: true,
    answer({ body, mint }, response) {
      const seconds = Number(jsonObject(body)["ttl_seconds"] ?? 30);
      sendJson(response, { access_token: mint(), expires_in: seconds });
    },
  },
  {
    method: "GET",
    path: /^\/v1\/projects$/u,
    needsScope: true,
    answer: (_request, response) => sendJson(response, { projects: [{ project_id: "double", name: "Double" }] }),
  },
  {
    method: "GET",
    path: /^\/v1\/projects\/double\/models$/u,
    needsScope: true,
    answer: (_request, response) => sendJson(response, models),
  },
  {
    method: "GET",
    path: /^\/v1\/models$/u,
    // developers.deepgram.com/guides/fundamentals/model-metadata: public models need no key.
    keyOptional: true,
    answer: (_request, response) => sendJson(response, models),
  },
  {
    method: "POST",
    path: /^\/v1\/listen$/u,
    answer({ url, body }, response) {
      const hearing = hearAll(...audioOf(body, formatOf(url)));
      sendJson(response, {
        metadata: recordingMetadata(url, newRequestId(), body, hearing.duration),
        results: { channels: [{ alternatives: [alternative(hearing.words)] }] },
      });
    },
  },
  {
    method: "POST",
    path: /^\/v1\/speak$/u,
    async answer({ url, body }, response) {
      const encoding = url.searchParams.get("encoding") ?? "mp3";
      const types: Readonly<Record<string, string>> = { mp3: "audio/mpeg", linear16: "audio/l16" };
      const word = spokenAudio(formatOf(url, speakRates), wordMs);
      response.writeHead(200, {
        "content-type": types[encoding] ?? `audio/${encoding}`,
        "dg-request-id": newRequestId(),
        "dg-model-name": modelOf(url),
      });
      const words = wordsIn(String(jsonObject(body)["text"] ?? ""));
      await sendPieces(
        response,
        words.map(() => word),
      );
    },
  },
];
