import type { DeepgramClient } from "@deepgram/sdk";
import type { Canary } from "./canary.ts";

const model = "nova-3";

export const deepgramCanary: Canary<DeepgramClient> = {
  sdk: "@deepgram/sdk",
  versions: ">=5.0.0 <6",
  steps: [
    { sends: "a request", run: (client) => client.manage.v1.projects.list() },
    {
      sends: "an upload",
      run: (client) => client.listen.v1.media.transcribeFile(Buffer.from("canary"), { model }),
    },
    {
      sends: "a stream",
      answer: { type: "audio/mulaw", body: "canary" },
      run: async (client) => await (await client.speak.v1.audio.generate({ text: "canary" })).arrayBuffer(),
    },
    {
      sends: "a socket and its reconnect",
      arrivals: 2,
      async run(client) {
        // The key is the egress's to put in, whatever the SDK's types say.
        const socket = await client.listen.v1.connect({ model } as Parameters<typeof client.listen.v1.connect>[0]);
        try {
          await new Promise<void>((resolve) => {
            let opened = 0;
            socket.on("error", () => resolve());
            socket.on("open", () => {
              opened += 1;
              // In this turn: after a cut it waits a second or more. Older ones take 1000 for an end.
              if (opened === 1) socket.socket.reconnect(3_000);
              else resolve();
            });
            socket.connect();
          });
        } finally {
          socket.close();
        }
      },
    },
  ],
};
