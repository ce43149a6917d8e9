import type { Cartesia } from "@cartesia/cartesia-js";
import { defineProvider } from "byokit";

/** Cartesia, for the slots `tts` and `stt`. Custom headers of the environment would otherwise be in every request. */
export const cartesia = defineProvider({
  id: "cartesia",
  name: "Cartesia",
  category: "tts",
  docsUrl: "https://docs.cartesia.ai",
  serves: ["tts", "stt"],
  endpoint: { baseUrl: "https://api.cartesia.ai", websocketUrl: "wss://api.cartesia.ai" },
  headers: ["cartesia-version", "x-stainless-*"],
  keyVariable: "CARTESIA_API_KEY",
  models: [{ id: "sonic-3", name: "Sonic 3", default: true, slot: "tts" }],
  load: () => import("@cartesia/cartesia-js"),
  connect({ placeholder, baseUrl, fetch }, loaded): Cartesia {
    const sdk = loaded as typeof import("@cartesia/cartesia-js");
    const options = { apiKey: placeholder, baseURL: baseUrl, fetch, logLevel: "off", maxRetries: 0 } as const;
    const client = new sdk.Cartesia(options);
    Object.assign(client, { _options: { ...options, defaultHeaders: undefined } });
    return client;
  },
});
