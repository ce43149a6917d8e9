import type { AccountState } from "../egress/vendor.ts";

/** Generations, of the protocol that OpenAI and xAI share. */
export const openaiGenerations: RegExp = /\/(?:chat\/completions|responses|embeddings|audio\/\w+)$/u;

const statefulPaths =
  /\/(?:assistants|batches|containers|conversations|evals|files|fine_tuning|prompts|threads|uploads|vector_stores|videos)(?:[/?]|$)|\/(?:responses|chat\/completions)\/./u;

/** As members of JSON: in a text that somebody has said a quotation mark is escaped. */
const statefulMembers =
  /"(?:previous_response_id|conversation|container|file_id)"\s*:\s*"|"(?:conversation|prompt)"\s*:\s*\{|"(?:file_ids|vector_store_ids)"\s*:\s*\[\s*"|"model"\s*:\s*"ft:|"type"\s*:\s*"item_reference"|"id"\s*:\s*"voice_/u;

/** What names an account's own in the protocol that OpenAI and xAI share: https://platform.openai.com/docs/api-reference. */
export const openaiAccountState: AccountState = { path: statefulPaths, body: statefulMembers };

/** What OpenAI's SDKs and those that speak its protocol send: nothing of it names an account. */
export const openaiHeaders: readonly string[] = [
  "openai-beta",
  "openai-poll-after-ms",
  "x-client-request-id",
  "x-openai-agents-sdk",
  "x-stainless-*",
];
