import { answeredOf } from "../../byok-error-of.ts";
import type { ByokError, ByokErrorCode } from "../../errors.ts";

/** How a refusal of byokit's looks to what reads statuses. Never 429: frameworks would send the same again for seconds. */
const statuses: Readonly<Partial<Record<ByokErrorCode, number>>> = {
  key_exhausted: 402,
  key_not_configured: 401,
  key_rejected: 401,
  key_revoked: 401,
  request_timeout: 408,
  store_unavailable: 503,
};

/** A refusal as an answer in OpenAI's shape, which neither its SDK nor a framework tries again. `byokErrorOf` reads it back. */
export function answerRefusal(error: ByokError, status: number = statuses[error.code] ?? 403): Response {
  return Response.json(
    { error: { ...answeredOf(error), param: null } },
    { status, headers: { "x-should-retry": "false" } },
  );
}
