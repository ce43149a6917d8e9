import type { IncomingMessage } from "node:http";
import { ByokError, type ByokErrorDetails } from "../../errors.ts";
import { classifyRefusal, type Refusal, toProviderAnswer } from "../refusals/refusal.ts";
import type { Vendor } from "./vendor.ts";

/** The most of a refusal that is read, in bytes. */
const maxBodyLength = 65_536;

/** The longest that the rest of a refusal is waited for, in milliseconds: its status is known already. */
const maxReadMs = 1_000;

/** Whose socket it is. */
type Details = Pick<ByokErrorDetails, "orgId" | "slot">;

/**
 * Why a provider refuses a socket's handshake: by the provider's own words where the answer has any, else by its status. What
 * has come by the time that the connection ends is judged; nothing of it is shown.
 */
export async function explainHandshake(
  response: IncomingMessage,
  { id, refusals }: Pick<Vendor, "id" | "refusals">,
  details: Details,
): Promise<ByokError> {
  const status = response.statusCode ?? 0;
  const answer = toProviderAnswer(status, refusals === undefined ? "" : await readText(response));
  const refusal = refusals === undefined ? undefined : classifyRefusal(refusals, answer);
  // A page is a firewall's, or another's between: it says nothing of the key.
  const isPage = answer.text.trimStart().startsWith("<");
  const { kind, reason } = refusal ?? (isPage ? { kind: "unclear" as const } : judgeByStatus(status));
  return toError({ ...details, provider: id }, status, kind, reason);
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => response.destroy(), maxReadMs);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maxBodyLength) break;
    }
  } catch {
    // An answer that breaks off has said what it has said.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString();
}

type Judged = { readonly kind: Refusal["kind"] | "unclear"; readonly reason?: Refusal["reason"] };

function judgeByStatus(status: number): Judged {
  if (status === 401 || status === 403) return { kind: "rejected", reason: "refused" };
  if (status === 402) return { kind: "exhausted", reason: "unpaid" };
  if (status === 429) return { kind: "busy", reason: "rate_limited" };
  return { kind: status >= 400 && status < 500 ? "request" : "unclear" };
}

function toError(
  details: ByokErrorDetails & { readonly provider: string },
  status: number,
  kind: Judged["kind"],
  reason: Judged["reason"],
): ByokError {
  const said = `"${details.provider}" answered the socket with status ${status}`;
  switch (kind) {
    case "rejected":
    case "restricted":
    case "region":
      return new ByokError("key_rejected", `${said}: it does not take the key. Check it, its region and its rights.`, {
        ...details,
        reason,
      });
    case "exhausted":
      return new ByokError("key_exhausted", `${said}: the key's account has no more to spend. Top it up.`, {
        ...details,
        reason,
      });
    case "request": {
      const message = `${said}: it refuses what was asked for, not the key. Check the model and the options.`;
      return new ByokError("provider_failed", message, { ...details, reason, retryable: false });
    }
    case "busy":
      return new ByokError("provider_failed", `${said}: too much was asked at once. Try again later.`, {
        ...details,
        reason,
      });
    case "unclear":
      return new ByokError("provider_failed", `${said}. Check its host, then try again.`, details);
  }
}
