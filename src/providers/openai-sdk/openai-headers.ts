/** What OpenAI's SDKs and those that speak its protocol send: nothing of it names an account. */
export const openaiHeaders: readonly string[] = [
  "openai-beta",
  "openai-poll-after-ms",
  "x-client-request-id",
  "x-openai-agents-sdk",
  "x-stainless-*",
];
