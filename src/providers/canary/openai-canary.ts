import type { OpenAI } from "openai";
import type { Egress } from "../egress/egress.ts";
import { openSession } from "../openai-sdk/openai-protocol.ts";
import { type Canary, events } from "./canary.ts";

const model = "canary";
const message = { role: "user", content: "canary" } as const;
const chunk = { id: model, object: "chat.completion.chunk", created: 0, model, choices: [] };

/** Of the two providers that speak OpenAI's protocol through its SDK. */
export function openaiCanary(provider: string): Canary<OpenAI> {
  const openSocket = async (egress: Egress, loaded: unknown, signal: AbortSignal): Promise<void> => {
    const socket = await openSession(provider, egress, loaded, { model, signal });
    socket.close();
  };
  return {
    sdk: "openai",
    versions: ">=6.0.0 <8",
    steps: [
      { sends: "a request", run: (client) => client.models.list() },
      {
        sends: "an upload",
        run: (client) => client.audio.transcriptions.create({ file: new File([model], "canary.wav"), model }),
      },
      {
        sends: "a stream",
        answer: events(chunk),
        async run(client) {
          const stream = await client.chat.completions.create({ model, messages: [message], stream: true });
          for await (const _one of stream);
        },
      },
      {
        sends: "a socket",
        arrivals: 2,
        async run(_client, { egress, loaded, signal }) {
          await openSocket(egress, loaded, signal);
          await openSocket(egress, loaded, signal);
        },
      },
    ],
  };
}
