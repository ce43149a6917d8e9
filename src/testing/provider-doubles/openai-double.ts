import { afterPrefix, bearer, type Double, type Route, sendJson } from "./double.ts";
import { speechRoute, transcriptionsRoute } from "./openai-audio.ts";
import { chatRoute } from "./openai-chat.ts";
import { clientSecretsRoute, realtimeSocket } from "./openai-realtime.ts";
import { responsesRoute, responsesSocket } from "./openai-responses.ts";
import { newId, openaiRefusal } from "./openai-wire.ts";
import { openaiWords, type Words } from "./openai-words.ts";

/** What OpenAI and xAI both serve: models, chat completions, responses. */
export const openaiRoutes = (words: Words): readonly Route[] => [
  {
    method: "GET",
    path: /^\/models$/u,
    needsScope: true,
    answer: (_request, response) =>
      sendJson(response, {
        object: "list",
        data: [{ id: "double-1", object: "model", created: 1, owned_by: "double" }],
      }),
  },
  chatRoute(words),
  responsesRoute(words),
];

export const openaiDouble: Double = {
  id: "openai",
  prefix: "/v1",
  keyOf: bearer,
  tokens: { of: bearer, open: /^\/realtime$/u },
  protocols: {
    of(offered) {
      const shown = afterPrefix(offered, "openai-insecure-api-key.");
      return shown === undefined ? undefined : { shown, as: ["key", "token"] };
    },
    open: /^\/realtime$/u,
  },
  wrongKey: openaiRefusal(401, "Incorrect API key provided.", "invalid_api_key"),
  restricted: openaiRefusal(
    403,
    "You have insufficient permissions for this operation. Missing scopes: api.model.read.",
    "missing_scope",
  ),
  quotaExceeded: openaiRefusal(429, "You exceeded your current quota.", "insufficient_quota", {
    type: "insufficient_quota",
  }),
  blocked: openaiRefusal(401, "Incorrect API key provided.", "invalid_api_key"),
  routes: [
    ...openaiRoutes(openaiWords),
    speechRoute,
    transcriptionsRoute,
    clientSecretsRoute("ek_", ({ session }) => ({
      session: { id: newId("sess"), object: "realtime.session", type: "realtime", ...(session as object | undefined) },
    })),
  ],
  sockets: [
    realtimeSocket(openaiRefusal(400, "You must provide a model parameter.", "missing_model")),
    responsesSocket,
  ],
};
