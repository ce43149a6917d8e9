import { afterPrefix, bearer, type Double, sendJson } from "./double.ts";
import { openaiRoutes } from "./openai-double.ts";
import { clientSecretsRoute, realtimeSocket } from "./openai-realtime.ts";
import { responsesSocket } from "./openai-responses.ts";
import { xaiWords } from "./openai-words.ts";
import { xaiSpeechRoute, xaiSpeechSocket } from "./xai-speech.ts";
import { xaiTranscriptionRoute, xaiTranscriptionSocket } from "./xai-transcription.ts";
import { xaiVoiceRoutes } from "./xai-voices.ts";
import { xaiReasons, xaiRefusal } from "./xai-wire.ts";

/** What a client secret opens. */
const ephemeral = /^\/(realtime|stt|tts)$/u;
const noPermission = "The caller does not have permission";

/** xAI answers a wrong key with 400, not 401. */
export const xaiDouble: Double = {
  id: "xai",
  prefix: "/v1",
  keyOf: bearer,
  tokens: { of: bearer, open: ephemeral },
  protocols: {
    of(offered) {
      const shown = afterPrefix(offered, "xai-client-secret.");
      return shown === undefined ? undefined : { shown, as: ["token"] };
    },
    open: ephemeral,
  },
  wrongKey: xaiRefusal(400, xaiReasons.wrongKey),
  restricted: xaiRefusal(403, "No permission.", noPermission),
  quotaExceeded: xaiRefusal(429, xaiReasons.quotaExceeded, "Some resource has been exhausted"),
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
    ...openaiRoutes(xaiWords),
    clientSecretsRoute("", () => ({})),
    xaiSpeechRoute,
    ...xaiVoiceRoutes,
    xaiTranscriptionRoute,
  ],
  sockets: [
    realtimeSocket(xaiRefusal(400, "You must provide a model parameter.")),
    responsesSocket,
    xaiSpeechSocket,
    xaiTranscriptionSocket,
  ],
};
