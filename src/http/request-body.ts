import type { MiddlewareHandler } from "hono";
import { systemClock } from "../clock.ts";
import { within } from "../deadline.ts";
import { makeProblem, RequestProblem } from "./request-problem.ts";

/** The most of a body that is read, in bytes: a key has at most 512 characters. */
const maxBytes = 16_384;
/** The longest that a body takes to arrive, in milliseconds. */
const limitMs = 10_000;

/**
 * Reads the body once, within its bounds, and puts it back as text: what comes after can neither wait for it nor read
 * more of it. No library's: the usual limit believes `content-length`, waits without end and repairs broken UTF-8.
 */
export const limitBody: MiddlewareHandler = async (context, next) => {
  const { raw } = context.req;
  if (readBefore.has(raw)) {
    throw new Error("The body was read before byokit: mount it ahead of body parsers.");
  }
  const text = raw.body === null ? "" : decodeText(await readBytes(raw.body));
  if (text === "") {
    context.req.raw = replaceBody(raw, null);
    return await next();
  }
  const mediaType = raw.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw makeProblem("content_type_unsupported", "Send the body as application/json.");
  }
  context.req.raw = replaceBody(raw, text);
  // The framework's own walks over what its cache inherits.
  context.req.json = async () => JSON.parse(text);
  await next();
};

/** Requests whose body somebody else has read: what is left of it says nothing about the customer. */
export const readBefore: WeakSet<Request> = new WeakSet();

/** Proxies that drop a body leave its type, and a type may be written in many ways: what comes after sees one. */
function replaceBody({ url, method, headers: given, signal }: Request, body: string | null): Request {
  const headers = new Headers(given);
  if (body === null) headers.delete("content-type");
  else headers.set("content-type", "application/json");
  return new Request(url, { method, headers, body, signal });
}

async function readBytes(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const reader = body.getReader();
  const expire = (): Error => makeProblem("body_timeout", "The body did not arrive in time. Send the request again.");
  try {
    return await within(systemClock, limitMs, readChunks(reader), expire);
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof RequestProblem) throw error;
    throw makeProblem("body_malformed", "The body ended before it was complete. Send the request again.");
  }
}

async function readChunks(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    size += value.length;
    if (size > maxBytes) throw makeProblem("body_too_large", `A body has at most ${maxBytes} bytes.`);
    chunks.push(value);
  }
}

function decodeText(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw makeProblem("body_malformed", "The body is not UTF-8. Send it as UTF-8.");
  }
}
