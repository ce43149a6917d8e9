import { readFileSync } from "node:fs";
import type { Resolution, ResolvedSlot } from "byokit";
import type { Resend } from "resend";

const fixture = (path: string): URL => new URL(`../../fixtures/${path}`, import.meta.url);
const audio = readFileSync(fixture("audio/hello.ulaw"));

/** Twenty milliseconds of 8 kHz mu-law, as a telephone line sends it. */
const frameBytes = 160;

export const frontDesk = JSON.parse(readFileSync(fixture("agents/front-desk.json"), "utf8")) as {
  llm_config: { provider: "openai"; model: string };
  stt_config: { provider: "deepgram" };
  tts_config: { provider: "elevenlabs"; model: string; voice: string };
};
export const voiceLine = JSON.parse(readFileSync(fixture("agents/voice-line.json"), "utf8")) as {
  realtime_config: { provider: "xai"; voice: string };
};

/** Milliseconds from a slot's request, its socket's opening included, until its first token or audio, by slot. */
export type FirstByte = Partial<Record<ResolvedSlot["slot"], number>>;

/** One turn: what the caller says, what the model answers, what the caller hears. */
export async function holdTurn({ stt, llm, tts }: Resolution<typeof frontDesk>, firstByte: FirstByte): Promise<void> {
  const question = await transcribe(stt, firstByte);
  const askedAt = performance.now();
  const completion = await llm.client.chat.completions.create({
    model: llm.model,
    messages: [{ role: "user", content: question || "Hello?" }],
    stream: true,
  });
  let text = "";
  for await (const chunk of completion) {
    const token = chunk.choices[0]?.delta.content ?? "";
    if (token !== "") firstByte.llm ??= performance.now() - askedAt;
    text += token;
  }
  const spokenAt = performance.now();
  const output = { text, modelId: tts.model, outputFormat: "ulaw_8000" } as const;
  for await (const _chunk of await tts.client.textToSpeech.stream(tts.voice ?? "", output)) {
    firstByte.tts ??= performance.now() - spokenAt;
  }
}

async function transcribe(stt: Resolution<typeof frontDesk>["stt"], firstByte: FirstByte): Promise<string> {
  const options = {
    model: stt.model,
    encoding: "mulaw",
    sample_rate: 8_000,
    interim_results: "true",
    endpointing: "500",
  };
  const socket = await stt.client.listen.v1.connect(options as never);
  let transcript = "";
  const closed = new Promise((resolve) => socket.on("close", resolve));
  const sentAt = performance.now();
  socket.on("message", (message) => {
    if (message.type !== "Results") return;
    firstByte.stt ??= performance.now() - sentAt;
    transcript = message.channel.alternatives[0]?.transcript || transcript;
  });
  socket.connect();
  await socket.waitForOpen();
  for (let at = 0; at < audio.length; at += frameBytes) socket.sendMedia(audio.subarray(at, at + frameBytes));
  socket.sendCloseStream({ type: "CloseStream" });
  await closed;
  return transcript;
}

/** A realtime session: one answer, and the socket is closed. */
export async function holdSession({ realtime }: Resolution<typeof voiceLine>, firstByte: FirstByte): Promise<void> {
  const startedAt = performance.now();
  const socket = await realtime.connect();
  const done = new Promise((resolve) => socket.on("response.done", resolve));
  socket.on("response.output_audio.delta", () => {
    firstByte.realtime ??= performance.now() - startedAt;
  });
  socket.send({ type: "response.create" });
  await done;
  socket.close();
}

export async function sendSummary(client: Resend): Promise<void> {
  const { error } = await client.emails.send({
    from: "calls@platform.example",
    to: "owner@customer.example",
    subject: "Your call",
    text: "One call, one turn.",
  });
  if (error !== null) throw new Error(`The e-mail was not sent: ${error.name}`);
}
