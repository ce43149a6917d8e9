import type { OpenRefusal, Refusal, RefusedSocket } from "./double.ts";
import { newId, openaiRefusal } from "./openai-wire.ts";
import { xaiRefusal } from "./xai-wire.ts";

/** How a vendor that speaks OpenAI's protocol refuses what is asked for, in its own words. */
export interface Words {
  missing(name: string): Refusal;
  /** A response that the account has not stored. */
  unknownResponse(id: string): Refusal;
}

export const openaiWords: Words = {
  missing: (name) =>
    openaiRefusal(400, `Missing required parameter: '${name}'.`, "missing_required_parameter", { param: name }),
  unknownResponse: (id) =>
    openaiRefusal(400, `Previous response with id '${id}' not found.`, "previous_response_not_found", {
      param: "previous_response_id",
    }),
};

export const xaiWords: Words = {
  missing: (name) => xaiRefusal(400, `Missing \`${name}\`.`),
  unknownResponse: (id) =>
    xaiRefusal(404, `Response with id "${id}" not found.`, "Some requested entity was not found"),
};

const keyRefused = {
  wrongKey: { type: "invalid_request_error", code: "invalid_api_key", message: "Incorrect API key provided." },
  quotaExceeded: {
    type: "insufficient_quota",
    code: "insufficient_quota",
    message: "You exceeded your current quota.",
  },
} as const;

/** As OpenAI's realtime API says it: an event, then a close code whose reason is the event's type and code. */
export function refuseRealtime(kind: OpenRefusal): RefusedSocket {
  const { type, code, message } = keyRefused[kind];
  return {
    frame: { type: "error", event_id: newId("event"), error: { type, code, message, param: null, event_id: null } },
    closeCode: kind === "wrongKey" ? 3_000 : 1_013,
    closeReason: `${type}.${code}`,
  };
}

/** Shape: ResponseWsError of openai 7.57. The socket stays open. */
export const refuseResponses = (kind: OpenRefusal): RefusedSocket => ({
  frame: { type: "error", status: kind === "wrongKey" ? 401 : 429, error: { ...keyRefused[kind], param: null } },
});
