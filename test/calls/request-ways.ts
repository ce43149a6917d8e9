import type { Readable } from "node:stream";
import { type Call, type Midway, voice, type Way } from "./way.ts";

/** A turn is a request: there is nothing that could hang up. */
const asked = (signal: AbortSignal, turn: (midway: Midway) => Promise<string>): Call => ({
  signal,
  turn,
  hungUp: Promise.resolve(),
  end: () => {},
});

/** Reads a stream, whose first piece is followed by `midway`. */
async function readPieces(pieces: AsyncIterable<Uint8Array | string>, midway: Midway): Promise<number> {
  let length = 0;
  for await (const piece of pieces) {
    if (length === 0) await midway?.();
    length += piece.length;
  }
  return length;
}

async function* textsOf(chunks: AsyncIterable<{ choices: { delta: { content?: string | null } }[] }>) {
  for await (const { choices } of chunks) yield choices[0]?.delta.content ?? "";
}

const chat = (provider: "openai" | "xai", name: string): Way => ({
  name,
  provider,
  kind: "request",
  hasMiddle: true,
  answer: "You said: Hello?",
  async begin(resolver, orgId) {
    const { llm } = await resolver.resolve(orgId, { llm_config: { provider } });
    return asked(llm.signal, async (midway) => {
      const messages = [{ role: "user" as const, content: "Hello?" }];
      const chunks = await llm.client.chat.completions.create({ model: llm.model, messages, stream: true });
      let said = "";
      for await (const text of textsOf(chunks)) {
        if (said === "" && text !== "") await midway?.();
        said += text;
      }
      return said;
    });
  },
});

const deepgramSpeech: Way = {
  name: "Deepgram, speech",
  provider: "deepgram",
  kind: "request",
  hasMiddle: true,
  answer: "1600 bytes",
  async begin(resolver, orgId) {
    const { tts } = await resolver.resolve(orgId, { tts_config: { provider: "deepgram" } });
    return asked(tts.signal, async (midway) => {
      const speech = { text: "Good morning", encoding: "mulaw", sample_rate: 8_000 } as const;
      const { stream } = await bodyOf(tts.client.speak.v1.audio.generate({ ...speech, model: tts.model as never }));
      return `${await readPieces(stream, midway)} bytes`;
    });
  },
};

const bodyOf = async (answer: PromiseLike<{ stream(): unknown }>): Promise<{ stream: Readable }> => ({
  stream: (await answer).stream() as Readable,
});

const elevenlabsSpeech: Way = {
  name: "ElevenLabs, speech",
  provider: "elevenlabs",
  kind: "request",
  hasMiddle: true,
  answer: "1600 bytes",
  async begin(resolver, orgId) {
    const { tts } = await resolver.resolve(orgId, { tts_config: { provider: "elevenlabs" } });
    return asked(tts.signal, async (midway) => {
      const speech = { text: "Good morning", modelId: tts.model, outputFormat: "ulaw_8000" } as const;
      return `${await readPieces(await tts.client.textToSpeech.stream(voice, speech), midway)} bytes`;
    });
  },
};

/** An e-mail has no middle. */
const resendEmail: Way = {
  name: "Resend, e-mail",
  provider: "resend",
  kind: "request",
  hasMiddle: false,
  answer: "sent",
  async begin(resolver, orgId) {
    const email = await resolver.client(orgId, "resend");
    return asked(email.signal, async () => {
      const { data, error } = await email.client.emails.send({
        from: "calls@platform.example",
        to: "owner@customer.example",
        subject: "Your call",
        text: "Ten turns.",
      });
      if (data === null) throw error;
      return "sent";
    });
  },
};

/** Ways in which each turn is a request of its own. */
export const requestWays: readonly Way[] = [
  chat("openai", "OpenAI, chat"),
  chat("xai", "xAI, chat"),
  deepgramSpeech,
  elevenlabsSpeech,
  resendEmail,
];
