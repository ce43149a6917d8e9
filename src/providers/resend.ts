import type { Resend } from "resend";
import { importOptional } from "../import-optional.ts";
import { pinnedFetch, toOrigin } from "./http/pinned-fetch.ts";
import { probe } from "./http/probe.ts";
import { foreignKeys, foreignModelKeys } from "./key-format.ts";
import type { Credential, Provider } from "./provider.ts";
import { resendRefusals } from "./refusals/resend-refusals.ts";

type ResendSdk = typeof import("resend");

/** Named by us: the SDK would take RESEND_USER_AGENT, which is the platform's. */
const userAgent = "byokit";

/** Resend: `email`. One host for all regions; the SDK never rejects, it answers `{ data, error }`. */
export const resend: Provider<"resend", "email", Resend> = {
  id: "resend",
  name: "Resend",
  category: "email",
  docsUrl: "https://resend.com/docs",
  serves: ["email"],
  endpoint: { baseUrl: "https://api.resend.com", websocketUrl: "wss://api.resend.com" },
  sdk: "resend@6",
  keyVariable: "RESEND_API_KEY",
  keyPrefixes: ["re_"],
  refusedPrefixes: { ...foreignKeys, ...foreignModelKeys },
  models: [],
  load: () => importOptional("resend", "resend@6", () => import("resend")),
  connect: (credential, loaded) => makeHermetic(loaded as ResendSdk, credential),
  check: (credential, signal) => {
    const headers = { authorization: `Bearer ${credential.key.reveal()}`, "user-agent": userAgent };
    return probe("resend", credential, signal, { path: "/domains", headers }, resendRefusals);
  },
};

/**
 * The SDK's client with its requests sent through the pinned fetch. It has no option for fetch, so the one method that all of
 * them pass is replaced; key and headers become getters that nothing shows.
 */
function makeHermetic(sdk: ResendSdk, credential: Credential): Resend {
  const { baseUrl, key } = credential;
  const send = pinnedFetch("resend", credential, [toOrigin(baseUrl)]);
  const client = new sdk.Resend(key.reveal(), { baseUrl, userAgent });
  const headers = (): Headers =>
    new Headers({
      authorization: `Bearer ${key.reveal()}`,
      "user-agent": userAgent,
      "content-type": "application/json",
    });
  Object.defineProperties(client, {
    key: { get: () => key.reveal(), enumerable: false },
    headers: { get: headers, enumerable: false },
    fetchRequest: {
      enumerable: false,
      value: async (path: string, init: RequestInit = {}): Promise<unknown> => {
        try {
          const response = await send(`${baseUrl}${path}`, init);
          const body: unknown = await response.json();
          const answered = Object.fromEntries(response.headers);
          return response.ok
            ? { data: body, error: null, headers: answered }
            : { data: null, error: body, headers: answered };
        } catch (error) {
          const message = error instanceof Error && "code" in error ? error.message : "Unable to fetch data.";
          return { data: null, error: { name: "application_error", statusCode: null, message }, headers: null };
        }
      },
    },
  });
  return client;
}
