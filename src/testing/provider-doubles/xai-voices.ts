import { randomBytes } from "node:crypto";
import type { Account, CustomVoice } from "./account.ts";
import { type DoubleRequest, jsonObject, type Route, sendJson } from "./double.ts";
import { formOf } from "./form-of.ts";
import { xaiRefusal } from "./xai-wire.ts";

// docs.x.ai/developers/model-capabilities/audio/custom-voices, and …/rest-api-reference/inference/voice.

const builtin = ["eve", "ara", "rex", "sal", "leo"].map((id) => ({
  voice_id: id,
  name: `${id[0]?.toUpperCase()}${id.slice(1)}`,
}));
const described = ["name", "description", "gender", "accent", "age", "language", "use_case", "tone"] as const;
export const voiceNotFound: ReturnType<typeof xaiRefusal> = xaiRefusal(
  404,
  "Voice not found.",
  "Some requested entity was not found",
);

/** A built-in voice in any case, or one of the account's own. */
export const isVoice = (id: string, { voices }: Account): boolean =>
  builtin.some(({ voice_id }) => voice_id === id.toLowerCase()) || voices.has(id);

const idOf = ({ url }: DoubleRequest): string => url.pathname.split("/").at(-1) ?? "";

/** Eight letters and digits. */
const newVoiceId = (): string => randomBytes(4).toString("hex");

const routeOfOne = (
  method: "GET" | "PATCH" | "DELETE",
  answer: (voice: CustomVoice, request: DoubleRequest) => readonly [body: unknown, status?: number],
): Route => ({
  method,
  path: /^\/custom-voices\/[^/]+$/u,
  needsScope: true,
  answer(request, response) {
    const voice = request.account.voices.peek(idOf(request));
    const [body, status] = voice === undefined ? [voiceNotFound.body, voiceNotFound.status] : answer(voice, request);
    sendJson(response, body, status);
  },
});

export const xaiVoiceRoutes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/tts\/voices$/u,
    answer: (_request, response) => sendJson(response, { voices: builtin }),
  },
  {
    method: "GET",
    path: /^\/tts\/voices\/[^/]+$/u,
    answer(request, response) {
      const found = builtin.find(({ voice_id }) => voice_id === idOf(request).toLowerCase());
      sendJson(response, found ?? voiceNotFound.body, found === undefined ? voiceNotFound.status : 200);
    },
  },
  {
    method: "POST",
    path: /^\/custom-voices$/u,
    needsScope: true,
    async answer(request, response) {
      const { field, file } = await formOf(request);
      if (file === undefined) {
        const { status, body } = xaiRefusal(400, "No reference audio: send a `file`.");
        sendJson(response, body, status);
        return;
      }
      const told = Object.fromEntries(described.map((name) => [name, field(name) ?? null]));
      const voice = { voice_id: newVoiceId(), ...told, created_at: new Date().toISOString() };
      request.account.voices.set(voice.voice_id, voice);
      sendJson(response, voice);
    },
  },
  {
    method: "GET",
    path: /^\/custom-voices$/u,
    needsScope: true,
    answer({ url: { searchParams }, account }, response) {
      const all = [...account.voices.values()];
      const from = Number(searchParams.get("pagination_token")) || 0;
      const to = from + (Number(searchParams.get("limit")) || 100);
      sendJson(response, { voices: all.slice(from, to), pagination_token: to < all.length ? String(to) : null });
    },
  },
  routeOfOne("GET", (voice) => [voice]),
  routeOfOne("PATCH", (voice, { body, account }) => {
    const asked = Object.entries(jsonObject(body)).filter(([name]) => described.some((one) => one === name));
    const empty = asked.find(([, value]) => value === "")?.[0];
    if (empty !== undefined) {
      const refusal = xaiRefusal(400, `\`${empty}\` is empty.`);
      return [refusal.body, refusal.status];
    }
    const changed = { ...voice, ...Object.fromEntries(asked) };
    account.voices.set(voice.voice_id, changed);
    return [changed];
  }),
  routeOfOne("DELETE", ({ voice_id }, { account }) => {
    account.voices.delete(voice_id);
    return [{}];
  }),
];
