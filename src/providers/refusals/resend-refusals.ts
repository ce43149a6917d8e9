import { readField, readObject } from "../http/read-field.ts";
import type { RefusalTable } from "./refusal.ts";

/** Resend's words: `statusCode`, `name` and `message` (https://resend.com/docs/api-reference/errors). */
export const resendRefusals: RefusalTable = {
  read({ body }) {
    const answer = readObject(body);
    const isOwn = answer !== undefined && Object.hasOwn(answer, "statusCode") && Number.isInteger(answer["statusCode"]);
    const name = readField(body, "name");
    const sentence = readField(body, "message");
    return isOwn && name !== "" && sentence !== "" ? { codes: [name], sentence } : undefined;
  },
  known: [
    {
      codes: ["daily_quota_exceeded", "monthly_quota_exceeded"],
      kind: "exhausted",
      reason: "no_quota",
    },
    {
      sentence: /(?:account|team) (?:is|has been) (?:closed|deleted|deactivated)/iu,
      kind: "rejected",
      reason: "account_closed",
    },
    {
      codes: ["account_suspended", "team_suspended"],
      sentence: /(?:account|team) (?:is|has been) (?:suspended|disabled|restricted|blocked)/iu,
      kind: "restricted",
      reason: "account_restricted",
    },
    {
      codes: ["suspended_api_key"],
      sentence: /api key is (?:suspended|inactive|disabled)/iu,
      kind: "rejected",
      reason: "blocked",
    },
    { codes: ["restricted_api_key"], kind: "restricted", reason: "missing_scope" },
    {
      codes: ["invalid_api_key"],
      sentence: /api key is invalid/iu,
      kind: "rejected",
      reason: "wrong_key",
    },
    {
      codes: ["validation_error", "invalid_from_address", "domain_not_verified"],
      kind: "request",
      reason: "request_refused",
    },
  ],
};
