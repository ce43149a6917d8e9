import { readField, readObject } from "../http/read-field.ts";
import type { RefusalTable } from "./refusal.ts";

/**
 * OpenAI's words, in answers (https://platform.openai.com/docs/guides/error-codes), in the realtime API's `error` events, and in
 * its `response.done`: a key without quota opens a socket, and fails there (livekit/agents#6352).
 */
export const openaiRefusals: RefusalTable = {
  read({ status, body }) {
    const failed = status === null ? readObject(body, "response", "status_details", "error") : undefined;
    const error = readObject(body, "error") ?? failed;
    const isOwn = error !== undefined && ["code", "type"].some((name) => Object.hasOwn(error, name));
    const sentence = readField(error, "message");
    return isOwn && (sentence !== "" || status === null)
      ? { codes: [readField(error, "code"), readField(error, "type")], sentence }
      : undefined;
  },
  region: /\b([a-z]{2})\.api\.openai\.com\b/u,
  known: [
    {
      codes: ["incorrect_hostname"],
      sentence: /incorrect regional hostname/iu,
      kind: "region",
      reason: "wrong_region",
    },
    {
      codes: ["billing_not_active"],
      sentence: /account is not active, please check your billing/iu,
      kind: "exhausted",
      reason: "unpaid",
    },
    {
      codes: ["insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"],
      sentence: /exceeded your current quota|billing hard limit|credit balance is/iu,
      kind: "exhausted",
      reason: "no_quota",
    },
    {
      codes: ["account_deactivated", "access_terminated"],
      sentence: /deactivated account|account (?:associated .{0,60})?has been deactivated|access was terminated/iu,
      kind: "rejected",
      reason: "account_closed",
    },
    {
      codes: ["organization_restricted", "organization_suspended"],
      sentence: /must be a member of an organization|organization has been (?:disabled|restricted|suspended)/iu,
      kind: "restricted",
      reason: "account_restricted",
    },
    {
      codes: ["invalid_organization", "mismatched_organization", "invalid_project", "mismatched_project"],
      sentence: /\bno such (?:organization|project)\b|openai-(?:organization|project)\s+header should match/iu,
      kind: "rejected",
      reason: "wrong_account",
    },
    {
      codes: ["ip_not_authorized"],
      sentence: /\bip (?:address )?(?:is )?not (?:allowed|authorized)/iu,
      kind: "restricted",
      reason: "ip_not_allowed",
    },
    {
      codes: ["unsupported_country_region_territory"],
      sentence: /country, region, or territory not supported/iu,
      kind: "restricted",
      reason: "country_not_supported",
    },
    {
      codes: ["model_not_found", "unsupported_model"],
      sentence: /does not have access to model|model .{0,80} does not exist/iu,
      kind: "request",
      reason: "request_refused",
    },
    {
      codes: ["missing_scope", "insufficient_permissions"],
      sentence: /missing scopes:|insufficient permissions for/iu,
      kind: "restricted",
      reason: "missing_scope",
    },
    {
      codes: ["invalid_api_key", "api_key_expired", "token_expired", "token_revoked"],
      sentence: /incorrect api key|invalid authentication/iu,
      kind: "rejected",
      reason: "wrong_key",
    },
  ],
};
