import { bearer, type Double, jsonObject, type Refusal, sendJson } from "./double.ts";

const refusal = (status: number, name: string, message: string): Refusal => ({
  status,
  body: { statusCode: status, name, message },
});

function refuseEmail(email: Readonly<Record<string, unknown>>): Refusal | undefined {
  const missing = ["from", "to", "subject"].find((name) => !email[name]);
  return missing === undefined ? undefined : refusal(422, "missing_required_field", `Missing \`${missing}\` field.`);
}

/** A restricted key of Resend's is a sending-only key: it sends, and may not read domains. */
export const resendDouble: Double = {
  id: "resend",
  prefix: "",
  keyOf: bearer,
  wrongKey: refusal(400, "validation_error", "API key is invalid"),
  restricted: refusal(401, "restricted_api_key", "This API key is restricted to only send emails"),
  quotaExceeded: refusal(429, "daily_quota_exceeded", "You have reached your daily email sending quota."),
  blocked: refusal(403, "invalid_api_key", "API key is invalid"),
  routes: [
    {
      method: "GET",
      path: /^\/domains$/u,
      needsScope: true,
      answer: (_request, response) => sendJson(response, { object: "list", data: [] }),
    },
    {
      method: "POST",
      path: /^\/emails$/u,
      answer({ body }, response) {
        const refused = refuseEmail(jsonObject(body));
        if (refused === undefined) sendJson(response, { id: "00000000-0000-4000-8000-000000000001" });
        else sendJson(response, refused.body, refused.status);
      },
    },
    {
      method: "POST",
      path: /^\/emails\/batch$/u,
      answer({ body }, response) {
        const emails = Object.values(jsonObject(body)) as readonly Readonly<Record<string, unknown>>[];
        const refused = emails.map(refuseEmail).find((one) => one !== undefined);
        const ids = emails.map((_email, at) => ({ id: `00000000-0000-4000-8000-${String(at + 1).padStart(12, "0")}` }));
        if (refused === undefined) sendJson(response, { data: ids });
        else sendJson(response, refused.body, refused.status);
      },
    },
  ],
  sockets: [],
};
