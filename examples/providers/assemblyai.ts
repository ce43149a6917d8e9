import { defineProvider } from "byokit";

/** AssemblyAI, for the slot `stt`. Its SDK takes neither a `fetch` nor an agent, so the client is of one's own. */
export const assemblyai = defineProvider({
  id: "assemblyai",
  name: "AssemblyAI",
  category: "stt",
  docsUrl: "https://www.assemblyai.com/docs",
  serves: ["stt"],
  endpoint: { baseUrl: "https://api.assemblyai.com", websocketUrl: "wss://streaming.assemblyai.com" },
  keyHeader: { name: "authorization" },
  keyVariable: "ASSEMBLYAI_API_KEY",
  models: [{ id: "universal", name: "Universal", default: true, slot: "stt" }],
  connect: ({ baseUrl, websocketUrl, fetch, WebSocket }) => ({
    upload: (audio: Uint8Array<ArrayBuffer>) => fetch(`${baseUrl}/v2/upload`, { method: "POST", body: audio }),
    transcript: (id: string) => fetch(`${baseUrl}/v2/transcript/${id}`),
    stream: (sampleRate: number) => new WebSocket(`${websocketUrl}/v3/ws?sample_rate=${sampleRate}`),
  }),
});
