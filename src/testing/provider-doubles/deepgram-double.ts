import { type Double, jsonObject, type Refusal, sendJson } from "./double.ts";

const refusal = (status: number, code: string, message: string): Refusal => ({
  status,
  body: { err_code: code, err_msg: message, request_id: "request-double" },
});

/** What a double hears, whatever is said: one word more with every tenth of a second of 8 kHz mu-law. */
const sentence = "hello I would like to know when you open tomorrow please";
const bytesPerWord = 800;

const wordsOf = (bytes: number): string =>
  sentence
    .split(" ")
    .slice(0, Math.floor(bytes / bytesPerWord))
    .join(" ");
const channel = (transcript: string): object => ({ alternatives: [{ transcript, confidence: 0.99, words: [] }] });

export const deepgramDouble: Double = {
  id: "deepgram",
  prefix: "",
  keyOf: (headers) => /^Token (?<key>.+)$/iu.exec(headers.authorization ?? "")?.groups?.["key"],
  wrongKey: refusal(401, "INVALID_AUTH", "Invalid credentials."),
  restricted: refusal(403, "INSUFFICIENT_PERMISSIONS", "User does not have sufficient permissions."),
  quotaExceeded: refusal(402, "ASR_PAYMENT_REQUIRED", "Project does not have enough credits."),
  blocked: refusal(401, "INVALID_AUTH", "Invalid credentials."),
  routes: [
    {
      method: "GET",
      path: /^\/v1\/auth\/token$/u,
      needsScope: true,
      answer: (_request, response) => sendJson(response, { api_key_id: "double", scopes: ["usage:write"] }),
    },
    {
      method: "GET",
      path: /^\/v1\/projects$/u,
      needsScope: true,
      answer: (_request, response) => sendJson(response, { projects: [{ project_id: "double", name: "Double" }] }),
    },
    {
      method: "POST",
      path: /^\/v1\/listen$/u,
      answer: ({ body }, response) =>
        sendJson(response, { metadata: {}, results: { channels: [channel(wordsOf(body.length))] } }),
    },
    {
      method: "POST",
      path: /^\/v1\/speak$/u,
      answer: (_request, response) =>
        void response.writeHead(200, { "content-type": "audio/mulaw" }).end(Buffer.alloc(1_600, 0xff)),
    },
  ],
  sockets: [
    {
      path: /^\/v[12]\/listen$/u,
      refuse: (url) =>
        url.searchParams.get("model") ? undefined : refusal(400, "INVALID_QUERY_PARAMETER", "No model."),
      serve(socket) {
        let bytes = 0;
        let said = "";
        const result = (transcript: string, isFinal: boolean): void =>
          socket.send(
            JSON.stringify({
              type: "Results",
              channel_index: [0, 1],
              duration: bytes / 8_000,
              start: 0,
              is_final: isFinal,
              speech_final: isFinal,
              channel: channel(transcript),
            }),
          );
        socket.on("message", (data: Buffer, isBinary) => {
          if (isBinary) {
            bytes += data.length;
            const words = wordsOf(bytes);
            if (words !== said) result(words, false);
            said = words;
          } else if (jsonObject(data)["type"] === "CloseStream") {
            result(said, true);
            socket.send(
              JSON.stringify({ type: "Metadata", request_id: "double", duration: bytes / 8_000, channels: 1 }),
            );
            socket.close(1_000);
          }
        });
      },
    },
  ],
};
