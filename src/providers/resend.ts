import { byokErrorOf } from "../byok-error-of.ts";
import { explainImport } from "../explain-import.ts";
import { resendCanary } from "./canary/resend-canary.ts";
import type { Egress } from "./egress/egress.ts";
import { probe } from "./http/probe.ts";
import { foreignKeys, foreignModelKeys } from "./key-format.ts";
import type { Provider } from "./provider.ts";
import { resendRefusals } from "./refusals/resend-refusals.ts";
import type { Resend } from "./sdk-types.ts";

type ResendSdk = typeof import("resend");

/** https://resend.com/docs/dashboard/emails/idempotency-keys */
const sentMail = /\/emails(?:\/batch)?$/u;

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
  canary: resendCanary,
  async load() {
    try {
      return await import("resend");
    } catch (error) {
      throw explainImport(error, "resend", "resend@6");
    }
  },
  headers: ["x-batch-validation"],
  idempotent: sentMail,
  accountState: {
    path: /\/(?!emails(?:\/batch)?(?:\?|$))[a-z-]+(?:[/?]|$)/u,
    body: /"(?:template|topic_?[iI]d)"\s*:/u,
  },
  connect: (egress, loaded) => connectResend(egress, loaded as ResendSdk),
  refusals: resendRefusals,
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
      const headers = Object.fromEntries(response.headers);
      if (response.ok) return { data: await response.json(), error: null, headers };
      return { data: null, error: readRefusal(await response.text(), response.status), headers };
    } catch (error) {
      if (init.signal?.aborted === true && error === init.signal.reason) throw error;
      return { data: null, error: toResendError(error), headers: null };
    }
  };
  Object.defineProperty(client, "fetchRequest", { value: fetchRequest, enumerable: false });
  return client;
}

/** What Resend says, or in the SDK's shape that it says nothing. */
function readRefusal(text: string, statusCode: number): unknown {
  try {
    const said: unknown = JSON.parse(text);
    return byokErrorOf(said) === undefined ? said : toResendError(said, statusCode);
  } catch {
    return { name: "application_error", statusCode, message: "Resend did not answer in JSON. Try again later." };
  }
}

/** In the SDK's shape. What byokit says of it is its `cause`, which is not shown. */
function toResendError(error: unknown, statusCode: number | null = null): object {
  const cause = byokErrorOf(error);
  const shown = { name: "application_error", statusCode, message: cause?.message ?? "Unable to fetch data." };
  return cause === undefined ? shown : Object.defineProperty(shown, "cause", { value: cause });
}
