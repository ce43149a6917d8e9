import type { Resend } from "resend";
import { isByokError } from "../errors.ts";
import { importOptional } from "../import-optional.ts";
import type { Egress } from "./egress/egress.ts";
import { probe } from "./http/probe.ts";
import { foreignKeys, foreignModelKeys } from "./key-format.ts";
import type { Provider } from "./provider.ts";
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
  headers: ["x-batch-validation"],
  connect: (egress, loaded) => connectResend(egress, loaded as ResendSdk),
  check: (credential, signal) => probe(credential, signal, "/domains", resendRefusals),
};

/** The SDK's client with its requests sent by the slot's `fetch`. It has no option for that, so the one method that all of them pass is replaced. */
function connectResend({ placeholder, baseUrl, fetch }: Egress, sdk: ResendSdk): Resend {
  const client = new sdk.Resend(placeholder, { baseUrl, userAgent });
  // Older ones have no such option and take RESEND_USER_AGENT.
  const { headers } = client as unknown as { readonly headers?: unknown };
  if (headers instanceof Headers) headers.set("user-agent", userAgent);
  const fetchRequest = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    try {
      const response = await fetch(`${baseUrl}${path}`, init);
      const body: unknown = await response.json();
      const answered = Object.fromEntries(response.headers);
      return response.ok
        ? { data: body, error: null, headers: answered }
        : { data: null, error: body, headers: answered };
    } catch (error) {
      if (init.signal?.aborted === true && error === init.signal.reason) throw error;
      return { data: null, error: toResendError(error), headers: null };
    }
  };
  Object.defineProperty(client, "fetchRequest", { value: fetchRequest, enumerable: false });
  return client;
}

/** In the SDK's shape. What byokit refused is its `cause`, which is not shown. */
function toResendError(error: unknown): object {
  const message = isByokError(error) ? error.message : "Unable to fetch data.";
  const shown = { name: "application_error", statusCode: null, message };
  return isByokError(error) ? Object.defineProperty(shown, "cause", { value: error }) : shown;
}
