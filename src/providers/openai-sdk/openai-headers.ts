/** Generations, of the protocol that OpenAI and xAI share. */
export const openaiGenerations: RegExp = /\/(?:chat\/completions|responses|embeddings|audio\/\w+)$/u;

/** What OpenAI's SDKs and those that speak its protocol send: nothing of it names an account. */
export const openaiHeaders: readonly string[] = [
  "openai-beta",
  "openai-poll-after-ms",
  "x-client-request-id",
  "x-openai-agents-sdk",
  "x-stainless-*",
];
