import type { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { type Canary, once } from "./canary.ts";

export const elevenlabsCanary: Canary<ElevenLabsClient> = {
  sdk: "@elevenlabs/elevenlabs-js",
  versions: ">=2.25.0 <3",
  steps: [
    { sends: "a request", run: (client) => client.models.list() },
    {
      sends: "an upload",
      run: (client) =>
        client.speechToText.convert({ file: new File(["canary"], "canary.wav"), modelId: "scribe_v1" } as never),
    },
    {
      sends: "a stream",
      answer: { type: "audio/basic", body: "canary" },
      async run(client) {
        for await (const _chunk of await client.textToSpeech.stream("canary", { text: "canary" }));
      },
    },
    { sends: "a socket", arrivals: 2, needsWs: true, run: openTwice },
  ],
};

/** The SDK does not reconnect: a second socket is the next that opens. */
async function openTwice(client: ElevenLabsClient): Promise<void> {
  for (const _time of [1, 2]) {
    const options = { modelId: "scribe_v2_realtime", audioFormat: "pcm_16000", sampleRate: 16_000 };
    const socket = await client.speechToText.realtime.connect(options as never);
    await once(socket, "close", "error");
    socket.close();
  }
}
