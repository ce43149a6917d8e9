import { readField, readObject } from "../http/read-field.ts";
import type { ProviderWords, RefusalTable } from "./refusal.ts";

/**
 * ElevenLabs' words: `detail` with `type` and `code`, or with `status` alone, as it was and still is in places
 * (https://elevenlabs.io/docs/eleven-api/resources/errors). What is wrong with a key may come as 400. For frames see `readFrame`.
 */
export const elevenlabsRefusals: RefusalTable = {
  read({ status, body }) {
    if (status === null) return readFrame(body);
    const detail = readObject(body, "detail");
    const codes = ["code", "status", "type"].map((name) => readField(detail, name)).filter((code) => code !== "");
    const sentence = readField(detail, "message");
    return codes.length > 0 && sentence !== "" ? { codes, sentence } : undefined;
  },
  known: [
    {
      codes: ["wrong_region", "invalid_data_residency"],
      sentence: /data residency|is a global server|calling the correct api url/iu,
      kind: "region",
      reason: "wrong_region",
    },
    {
      codes: ["quota_exceeded", "insufficient_credits", "credits_exhausted"],
      sentence: /exceed(?:s|ed) your (?:api key )?quota|insufficient quota/iu,
      kind: "exhausted",
      reason: "no_quota",
    },
    {
      codes: ["payment_issue", "payment_failed", "subscription_past_due"],
      sentence: /failed or incomplete payment/iu,
      kind: "exhausted",
      reason: "unpaid",
    },
    {
      codes: ["detected_unusual_activity"],
      sentence: /unusual activity detected/iu,
      kind: "restricted",
      reason: "blocked",
    },
    {
      codes: ["account_closed", "account_deleted", "user_deleted"],
      sentence: /account has been (?:closed|deleted|deactivated)/iu,
      kind: "rejected",
      reason: "account_closed",
    },
    {
      codes: [
        "account_suspended",
        "account_disabled",
        "workspace_disabled",
        "subscription_required",
        "free_users_not_allowed",
        "paid_plan_required",
        "feature_not_available",
      ],
      sentence: /account has been (?:suspended|disabled|restricted|blocked)/iu,
      kind: "restricted",
      reason: "account_restricted",
    },
    {
      codes: ["ip_not_allowed", "ip_not_whitelisted", "ip_address_not_allowed"],
      sentence: /\bip (?:address )?(?:is )?not (?:allowed|authorized|whitelisted)/iu,
      kind: "restricted",
      reason: "ip_not_allowed",
    },
    {
      codes: ["model_not_found", "invalid_model_id", "voice_not_found", "model_access_denied"],
      kind: "request",
      reason: "request_refused",
    },
    {
      codes: ["missing_permissions", "insufficient_permissions"],
      sentence: /missing the permission/iu,
      kind: "restricted",
      reason: "missing_scope",
    },
    {
      codes: ["invalid_api_key", "api_key_id_used_as_api_key", "authentication_error", "auth_error"],
      sentence: /invalid api key/iu,
      kind: "rejected",
      reason: "wrong_key",
    },
    { codes: ["payment_required"], kind: "exhausted", reason: "unpaid" },
  ],
};

/**
 * A frame's words: `message_type` and `error` of a transcription (the SDK's `RealtimeEvents`, 2.73), `message`, `error` and `code`
 * of a speech socket (elevenlabs-python#167), `type` and `message` of an agent's (elevenlabs/packages#911).
 */
function readFrame(body: unknown): ProviderWords | undefined {
  const [kind, error, type, message] = ["message_type", "error", "type", "message"].map((name) =>
    readField(body, name),
  );
  if (kind && error) return { codes: [kind], sentence: error };
  if (error && message) return { codes: [error], sentence: message };
  return type === "error" && message ? { codes: [type], sentence: message } : undefined;
}
