import type { SlotWebSocket } from "../../src/providers/egress/slot-websocket.ts";
import { Ear } from "./ear.ts";
import { HeldLine, type Line, openLine } from "./held-line.ts";
import { type Midway, voice, type Way } from "./way.ts";

type Message = Readonly<Record<string, unknown>>;

/** A tenth of a second of 8 kHz mu-law, in which a double hears one word. */
const word = Buffer.alloc(800, 0x55);

const isOf = (type: string) => (message: Message) => message["type"] === type;

/** A line on a socket that tells `ear`. */
const lineOf = (ear: Ear<Message>, close: () => void, turn: (midway: Midway) => Promise<string>): Line => ({
  get isOver() {
    return ear.isOver;
  },
  over: ear.over,
  turn,
  close,
});

/** Resolves once a socket is open. */
async function listenTo(socket: SlotWebSocket): Promise<Ear<Message>> {
  const ear = new Ear<Message>();
  socket.on("message", (frame) => ear.tell(JSON.parse(String(frame))));
  socket.on("error", (error) => ear.blame(error));
  socket.on("close", () => ear.end(new Error("The socket was closed.")));
  await Promise.race([
    new Promise<void>((resolve) => socket.on("open", () => resolve())),
    ear.over.then(() => ear.hear(() => false)),
  ]);
  return ear;
}

const realtime = (provider: "openai" | "xai", name: string): Way => ({
  name,
  provider,
  kind: "held socket",
  hasMiddle: true,
  answer: "completed, completed",
  async begin(resolver, orgId) {
    const { realtime } = await resolver.resolve(orgId, { realtime_config: { provider } });
    return new HeldLine(realtime, async (slot) => {
      const session = await slot.connect();
      const ear = new Ear<Message>();
      session.on("event", (event) => ear.tell({ ...event }));
      session.socket.on("error", (error) => ear.blame(error));
      session.socket.on("close", () => ear.end(new Error("The socket was closed.")));
      const respond = async (midway?: Midway): Promise<unknown> => {
        session.send({ type: "response.create" });
        await ear.hear(isOf("response.output_audio.delta"));
        await midway?.();
        const { response } = await ear.hear(isOf("response.done"));
        return (response as Message)["status"];
      };
      return lineOf(
        ear,
        () => session.close(),
        async (midway) => `${await respond(midway)}, ${await respond()}`,
      );
    });
  },
});

const deepgramTranscription: Way = {
  name: "Deepgram, live transcription",
  provider: "deepgram",
  kind: "held socket",
  hasMiddle: true,
  answer: "hello I",
  async begin(resolver, orgId) {
    const { stt } = await resolver.resolve(orgId, { stt_config: { provider: "deepgram" } });
    return new HeldLine(stt, async (slot) => {
      const query = new URLSearchParams({
        model: slot.model,
        encoding: "mulaw",
        sample_rate: "8000",
        interim_results: "true",
      });
      const socket = new slot.WebSocket(`wss://api.deepgram.com/v1/listen?${query}`);
      const ear = await listenTo(socket);
      const turn = async (midway: Midway): Promise<string> => {
        socket.send(word);
        await ear.hear(isOf("Results"));
        await midway?.();
        socket.send(word);
        // Silence ends the turn.
        socket.send(Buffer.alloc(800, 0xff));
        const results = await ear.hear((message) => message["speech_final"] === true);
        const { alternatives } = results["channel"] as { readonly alternatives: readonly { transcript: string }[] };
        return alternatives[0]?.transcript ?? "";
      };
      return lineOf(ear, () => socket.close(), turn);
    });
  },
};

const elevenlabsTranscription: Way = {
  name: "ElevenLabs, live transcription",
  provider: "elevenlabs",
  kind: "held socket",
  hasMiddle: true,
  answer: "hello I",
  async begin(resolver, orgId) {
    const { stt } = await resolver.resolve(orgId, { stt_config: { provider: "elevenlabs", model: "scribe_realtime" } });
    return new HeldLine(stt, async (slot) => {
      const connection = await slot.client.speechToText.realtime.connect({
        modelId: slot.model,
        audioFormat: "ulaw_8000",
        sampleRate: 8_000,
      } as never);
      const ear = new Ear<Message>();
      const on = connection.on.bind(connection) as (event: string, listener: (told: unknown) => void) => void;
      for (const type of ["session_started", "partial_transcript", "committed_transcript"])
        on(type, (told) => ear.tell({ ...(told as Message), type }));
      on("error", (error) => ear.blame(error));
      on("close", () => ear.end(new Error("The socket was closed.")));
      await ear.hear(isOf("session_started"));
      const audioBase64 = word.toString("base64");
      const turn = async (midway: Midway): Promise<string> => {
        connection.send({ audioBase64 });
        await ear.hear(isOf("partial_transcript"));
        await midway?.();
        ear.ask(() => connection.send({ audioBase64, commit: true }));
        const { text } = await ear.hear(isOf("committed_transcript"));
        return String(text);
      };
      return lineOf(ear, () => connection.close(), turn);
    });
  },
};

const elevenlabsStreamInput: Way = {
  name: "ElevenLabs, speech from streamed text",
  provider: "elevenlabs",
  kind: "socket",
  hasMiddle: true,
  answer: "3 chunks",
  async begin(resolver, orgId) {
    const { tts } = await resolver.resolve(orgId, { tts_config: { provider: "elevenlabs" } });
    const open = async ({ WebSocket, model }: typeof tts): Promise<Line> => {
      const query = new URLSearchParams({ model_id: model, output_format: "ulaw_8000" });
      const socket = new WebSocket(`wss://api.elevenlabs.io/v1/text-to-speech/${voice}/stream-input?${query}`);
      const ear = await listenTo(socket);
      const send = (message: object): void => socket.send(JSON.stringify(message));
      const turn = async (midway: Midway): Promise<string> => {
        send({ text: "Good ", flush: true });
        await ear.hear(({ audio }) => audio !== null);
        await midway?.();
        send({ text: "morning ", flush: true });
        send({ text: "" });
        await ear.hear(({ audio }) => audio !== null);
        await ear.hear(({ isFinal }) => isFinal === true);
        await ear.over;
        return "3 chunks";
      };
      return lineOf(ear, () => socket.close(), turn);
    };
    return {
      signal: tts.signal,
      hungUp: Promise.resolve(),
      async turn(midway) {
        const [line] = await openLine(tts, open);
        return await line.turn(midway);
      },
      end: () => {},
    };
  },
};

/** Ways that hold a socket, for a turn or for the call. */
export const socketWays: readonly Way[] = [
  realtime("openai", "OpenAI, realtime"),
  realtime("xai", "xAI, realtime"),
  deepgramTranscription,
  elevenlabsTranscription,
  elevenlabsStreamInput,
];
