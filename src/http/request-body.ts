import type { MiddlewareHandler } from "hono";
import { makeProblem, RequestProblem } from "./request-problem.ts";

/** The most of a body that is read, in bytes: a key has at most 512 characters. */
const maxBytes = 16_384;
/** The longest that a body takes to arrive, in milliseconds. */
const limitMs = 10_000;

/**
 * Reads the body once, within its bounds, and puts it back as text: what comes after can neither wait for it nor read
 * more of it. No library's: the usual limit believes `content-length`, waits without end and repairs broken UTF-8.
 */
export const boundedBody: MiddlewareHandler = async (context, next) => {
  const { raw } = context.req;
  const text = raw.body === null ? "" : decoded(await bytesOf(raw.body));
  if (text === "") {
    context.req.raw = withBody(raw, null);
    return await next();
  }
  const mediaType = raw.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw makeProblem("content_type_unsupported", "Send the body as application/json.");
  }
  context.req.raw = withBody(raw, text);
  await next();
};

/** Proxies that drop a body leave its type, and a type may be written in many ways: what comes after sees one. */
function withBody({ url, method, headers: given }: Request, body: string | null): Request {
  const headers = new Headers(given);
  if (body === null) headers.delete("content-type");
  else headers.set("content-type", "application/json");
  return new Request(url, { method, headers, body });
}

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  const expiry = makeProblem("body_timeout", "The body did not arrive in time. Send the request again.");
  const timer = setTimeout(() => late.reject(expiry), limitMs);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) return Buffer.concat(chunks);
      size += value.length;
      if (size > maxBytes) throw makeProblem("body_too_large", `A body has at most ${maxBytes} bytes.`);
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof RequestProblem) throw error;
    throw makeProblem("body_malformed", "The body ended before it was complete. Send the request again.");
  } finally {
    clearTimeout(timer);
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw makeProblem("body_malformed", "The body is not UTF-8. Send it as UTF-8.");
  }
}
