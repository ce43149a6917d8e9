import type { ResolvedSlot, Resolver } from "byokit";

type Ears = ResolvedSlot<typeof import("byokit").deepgram, "stt">;
type Socket = InstanceType<Ears["WebSocket"]>;

/** Audio that waits for a socket, at most: half a minute of 8 kHz mu-law. */
const maxWaiting = 240_000;

/**
 * A live transcription that outlives its key. Once another key serves, a second socket is opened with it; the first goes on
 * hearing until the second is open, and is then asked for the rest of what it has heard. Where the first is closed before
 * that, as a removed key's is, audio waits for the second.
 */
export class LiveTranscription {
  readonly #onWords: (words: string) => void;
  readonly #onEnd: (why: unknown) => void;
  #slot: Ears;
  #socket: Socket | undefined;
  #waiting: Uint8Array[] = [];
  #isOver = false;

  private constructor(slot: Ears, onWords: (words: string) => void, onEnd: (why: unknown) => void) {
    this.#slot = slot;
    this.#onWords = onWords;
    this.#onEnd = onEnd;
  }

  /** `onEnd` is told why nothing transcribes any more: no key serves, or the provider hangs up. */
  static async start(
    resolver: Resolver,
    orgId: string,
    onWords: (words: string) => void,
    onEnd: (why: unknown) => void,
  ): Promise<LiveTranscription> {
    const { stt } = await resolver.resolve(orgId, { stt_config: { provider: "deepgram" } });
    const transcription = new LiveTranscription(stt, onWords, onEnd);
    transcription.#listen(stt);
    return transcription;
  }

  hear(audio: Uint8Array): void {
    if (this.#socket?.readyState === this.#slot.WebSocket.OPEN) {
      this.#socket.send(audio);
      return;
    }
    this.#waiting.push(audio);
    while (this.#waiting.reduce((bytes, { length }) => bytes + length, 0) > maxWaiting) this.#waiting.shift();
  }

  end(): void {
    this.#isOver = true;
    this.#socket?.send('{"type":"CloseStream"}');
  }

  #listen(slot: Ears): void {
    this.#slot = slot;
    slot.signal.addEventListener("abort", () => void this.#renew(), { once: true });
    const query = new URLSearchParams({ model: slot.model, encoding: "mulaw", sample_rate: "8000" });
    const socket = new slot.WebSocket(`wss://api.deepgram.com/v1/listen?${query}`);
    let why: unknown;
    socket.on("error", (error) => (why = error));
    socket.on("message", (frame) => this.#read(String(frame)));
    socket.on("open", () => (this.#slot === slot ? this.#takeOver(socket) : socket.close()));
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
      // Of a slot whose key has changed the next socket is on its way.
      if (!this.#isOver && !slot.signal.aborted && this.#slot === slot) this.#onEnd(why);
    });
  }

  #takeOver(socket: Socket): void {
    const before = this.#socket;
    this.#socket = socket;
    for (const audio of this.#waiting.splice(0)) socket.send(audio);
    before?.send('{"type":"CloseStream"}');
  }

  async #renew(): Promise<void> {
    if (this.#isOver) return;
    try {
      this.#listen(await this.#slot.renew());
    } catch (error) {
      this.#onEnd(error);
    }
  }

  #read(frame: string): void {
    const { type, is_final, channel } = JSON.parse(frame);
    if (type === "Results" && is_final) this.#onWords(channel.alternatives[0].transcript);
  }
}
