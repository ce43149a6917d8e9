import { readField } from "../http/read-field.ts";
import type { RefusalTable } from "./refusal.ts";

/**
 * Deepgram's words: `err_code` and `err_msg`, or `category`, `message` and `details` (https://developers.deepgram.com/docs/errors);
 * in a frame of type `Error` `code` and `description` (ListenV2FatalError, SpeakV2Error and AgentV1Error of @deepgram/sdk 5.13), or
 * `variant`, `message` and `description`. A socket's end says why in its reason.
 */
export const deepgramRefusals: RefusalTable = {
  read({ status, body }) {
    if (status === null && readField(body, "type") === "Error") {
      const codes = [readField(body, "code"), readField(body, "variant")];
      return { codes, sentence: `${readField(body, "description")} ${readField(body, "message")}` };
    }
    const code = readField(body, "err_code");
    const older = readField(body, "err_msg");
    if (code !== "" && older !== "") return { codes: [code], sentence: older };
    const category = readField(body, "category");
    const isOwn = category !== "" && readField(body, "message") !== "" && readField(body, "request_id") !== "";
    return isOwn
      ? { codes: [category], sentence: `${readField(body, "message")} ${readField(body, "details")}` }
      : undefined;
  },
  known: [
    {
      codes: ["ASR_PAYMENT_REQUIRED", "PAYMENT_REQUIRED", "INSUFFICIENT_CREDITS", "INSUFFICIENT_FUNDS"],
      sentence: /not have enough credits|insufficient (?:credits|funds)/iu,
      kind: "exhausted",
      reason: "no_quota",
    },
    {
      codes: ["WRONG_REGION", "REGION_MISMATCH"],
      sentence: /(?:wrong|another|different|incorrect|this) region\b|regional endpoint/iu,
      kind: "region",
      reason: "wrong_region",
    },
    {
      sentence: /(?:account|project) (?:is|has been) (?:closed|deleted|deactivated)/iu,
      kind: "rejected",
      reason: "account_closed",
    },
    {
      codes: ["ACCOUNT_SUSPENDED", "PROJECT_SUSPENDED"],
      sentence: /(?:account|project) (?:is|has been) (?:suspended|disabled|restricted|blocked)/iu,
      kind: "restricted",
      reason: "account_restricted",
    },
    {
      sentence: /access to the requested model|no such model/iu,
      kind: "request",
      reason: "request_refused",
    },
    {
      codes: ["INSUFFICIENT_PERMISSIONS"],
      sentence: /(?:insufficient|not have sufficient|not have the required) (?:permissions|scopes?)/iu,
      kind: "restricted",
      reason: "missing_scope",
    },
    {
      codes: ["INVALID_AUTH"],
      sentence: /invalid credentials/iu,
      kind: "rejected",
      reason: "wrong_key",
    },
  ],
};
