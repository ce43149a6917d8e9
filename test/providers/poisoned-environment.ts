/** Stands in every poisoned value: wherever it arrives, something of the platform's has leaked. */
export const marker = "PLATFORM-LEAK";

const nowhere = `http://127.0.0.1:9/${marker}`;

/**
 * Every environment variable that one of the providers' SDKs reads, with what a platform might have set.
 * `environment.test.ts` compares the list with the SDKs' sources.
 */
export const poisonedEnvironment: Readonly<Record<string, string>> = {
  OPENAI_API_KEY: `sk-${marker}`,
  OPENAI_ADMIN_KEY: `sk-admin-${marker}`,
  OPENAI_ORG_ID: `org-${marker}`,
  OPENAI_PROJECT_ID: `proj_${marker}`,
  OPENAI_BASE_URL: nowhere,
  OPENAI_WEBHOOK_SECRET: `whsec_${marker}`,
  OPENAI_LOG: "debug",
  OPENAI_CUSTOM_HEADERS: `Authorization: Bearer ${marker}\nX-Platform: ${marker}`,
  OPENAI_API_VERSION: marker,
  AZURE_OPENAI_API_KEY: marker,
  AZURE_OPENAI_ENDPOINT: nowhere,
  AWS_BEARER_TOKEN_BEDROCK: marker,
  AWS_BEDROCK_BASE_URL: nowhere,
  AWS_DEFAULT_REGION: marker,
  AWS_REGION: marker,
  GOOGLE_CLOUD_LOCATION: marker,
  GOOGLE_CLOUD_PROJECT: marker,
  DEEPGRAM_API_KEY: `dg-${marker}`,
  DEEPGRAM_ACCESS_TOKEN: `dgtok-${marker}`,
  ELEVENLABS_API_KEY: `el-${marker}`,
  XAI_API_KEY: `xai-${marker}`,
  RESEND_API_KEY: `re_${marker}`,
  RESEND_BASE_URL: nowhere,
  RESEND_USER_AGENT: marker,
  RESEND_DEBUG: "true",
};
