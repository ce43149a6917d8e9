/** The place in an agent that a provider fills. */
export type Slot = "llm" | "stt" | "tts" | "realtime" | "email";

/** What a provider is filed under in `GET /byok/config`. The same five words as the slots, as the API documents them. */
export type Category = Slot;

export const slots: readonly Slot[] = ["llm", "stt", "tts", "realtime", "email"];
