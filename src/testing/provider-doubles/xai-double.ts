import { bearer, type Double, sendJson } from "./double.ts";
import { openaiRoutes } from "./openai-double.ts";
import { clientSecretsRoute, realtimeSocket } from "./openai-realtime.ts";
import { xaiSpeechRoutes } from "./xai-speech.ts";
import { xaiTranscriptionRoute, xaiTranscriptionSocket } from "./xai-transcription.ts";
import { xaiRefusal } from "./xai-wire.ts";

const noPermission = "The caller does not have permission";

/** xAI answers a wrong key with 400, not 401. */
export const xaiDouble: Double = {
  id: "xai",
  prefix: "/v1",
  keyOf: bearer,
  tokens: { of: bearer, open: /^\/(realtime|stt)$/u },
  wrongKey: xaiRefusal(400, "Incorrect API key provided. You can obtain an API key from https://console.x.ai."),
  restricted: xaiRefusal(403, "No permission.", noPermission),
  quotaExceeded: xaiRefusal(429, "No credits.", "Some resource has been exhausted"),
  blocked: xaiRefusal(403, "API key is blocked.", noPermission),
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
    ...openaiRoutes((name) => xaiRefusal(400, `Missing \`${name}\`.`)),
    clientSecretsRoute("", () => ({})),
    ...xaiSpeechRoutes,
    xaiTranscriptionRoute,
  ],
  sockets: [realtimeSocket(xaiRefusal(400, "You must provide a model parameter.")), xaiTranscriptionSocket],
};
