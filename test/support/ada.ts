import { defineProvider } from "../../src/providers/define-provider.ts";

/** A vendor whose client is its way out. */
export const ada = defineProvider({
  id: "ada",
  name: "Ada",
  category: "llm",
  docsUrl: "https://vendor.example",
  serves: ["llm"],
  endpoint: { baseUrl: "https://ada.example", websocketUrl: "wss://ada.example" },
  models: [],
  connect: (egress) => egress,
});
