import { type Double, jsonObject, type Refusal, sendJson } from "./double.ts";

const refusal = (status: number, word: string, message: string): Refusal => ({
  status,
  body: { detail: { status: word, message } },
});

/** A tenth of a second of silence in 8 kHz mu-law: what a double says for every word. */
const spokenWord = Buffer.alloc(800, 0xff);

/** What a double hears: a word with every tenth of a second of 8 kHz mu-law. */
const heard = (bytes: number): string => "hello ".repeat(Math.floor(bytes / spokenWord.length)).trim();

/** ElevenLabs answers a wrong key and a valid one without the scope alike with 401; only `detail.status` tells. */
export const elevenlabsDouble: Double = {
  id: "elevenlabs",
  prefix: "",
  keyOf: (headers) => headers["xi-api-key"]?.toString(),
  wrongKey: refusal(401, "invalid_api_key", "Invalid API key"),
  restricted: refusal(401, "missing_permissions", "The API key you used is missing the permission models_read."),
  quotaExceeded: refusal(401, "quota_exceeded", "This request exceeds your quota."),
  blocked: refusal(401, "detected_unusual_activity", "Unusual activity detected."),
  routes: [
    {
      method: "GET",
      path: /^\/v1\/models$/u,
      needsScope: true,
      answer: (_request, response) => sendJson(response, [{ model_id: "eleven_flash_v2_5", name: "Flash v2.5" }]),
    },
    {
      method: "POST",
      path: /^\/v1\/speech-to-text$/u,
      answer: ({ body }, response) =>
        sendJson(response, { language_code: "en", language_probability: 0.99, text: heard(body.length), words: [] }),
    },
    {
      method: "POST",
      path: /^\/v1\/text-to-speech\/[^/]+(\/stream)?$/u,
      answer({ body }, response) {
        const { text } = jsonObject(body);
        if (typeof text !== "string" || text === "") {
          sendJson(response, { detail: [{ loc: ["body", "text"], msg: "Field required", type: "missing" }] }, 422);
          return;
        }
        response.writeHead(200, { "content-type": "audio/basic" });
        for (const _word of text.split(" ")) response.write(spokenWord);
        response.end();
      },
    },
  ],
  sockets: [
    {
      path: /^\/v1\/speech-to-text\/realtime$/u,
      refuse: (url) => (url.searchParams.get("model_id") ? undefined : refusal(400, "invalid_model", "No model.")),
      serve(socket) {
        let bytes = 0;
        socket.send(JSON.stringify({ message_type: "session_started", session_id: "double", config: {} }));
        socket.on("message", (data: Buffer) => {
          const { audio_base_64: audio, commit } = jsonObject(data);
          bytes += Buffer.from(String(audio ?? ""), "base64").length;
          const message_type = commit === true ? "committed_transcript" : "partial_transcript";
          socket.send(JSON.stringify({ message_type, text: heard(bytes) }));
        });
      },
    },
    {
      path: /^\/v1\/text-to-speech\/[^/]+\/stream-input$/u,
      serve(socket) {
        socket.on("message", (data: Buffer) => {
          const { text } = jsonObject(data);
          if (text === "") socket.send(JSON.stringify({ audio: null, isFinal: true }), () => socket.close(1_000));
          else if (String(text).trim() !== "")
            socket.send(JSON.stringify({ audio: spokenWord.toString("base64"), isFinal: null }));
        });
      },
    },
  ],
};
