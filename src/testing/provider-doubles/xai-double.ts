import { bearer, type Double, sendJson } from "./double.ts";
import { openaiRoutes, realtimeSocket } from "./openai-double.ts";

const wrongKey = "Incorrect API key provided. You can obtain an API key from https://console.x.ai.";

/** xAI answers a wrong key with 400, not 401. */
export const xaiDouble: Double = {
  id: "xai",
  prefix: "/v1",
  keyOf: bearer,
  wrongKey: { status: 400, body: { code: "Client specified an invalid argument", error: wrongKey } },
  restricted: { status: 403, body: { code: "The caller does not have permission", error: "No permission." } },
  quotaExceeded: { status: 429, body: { code: "Some resource has been exhausted", error: "No credits." } },
  blocked: { status: 403, body: { code: "The caller does not have permission", error: "API key is blocked." } },
  routes: [
    {
      method: "GET",
      path: /^\/api-key$/u,
      answer: (_request, response) =>
        sendJson(response, {
          redacted_api_key: "xai-...uble",
          api_key_blocked: false,
          api_key_disabled: false,
          team_blocked: false,
          acls: ["api-key:endpoint:*", "api-key:model:*"],
        }),
    },
    ...openaiRoutes,
  ],
  sockets: [realtimeSocket],
};
