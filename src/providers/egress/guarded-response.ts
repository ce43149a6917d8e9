import { type GuardedBodyOptions, guardBody } from "./guarded-body.ts";
import type { KeyScrubber } from "./key-scrubber.ts";
import { readUpTo } from "./read-up-to.ts";

/** The most of an error's body that is kept, in characters of Latin-1. */
const maxErrorLength = 65_536;

const textual = /^(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|x-ndjson|problem|xml|javascript))/iu;

/**
 * An answer without the key in any place that an SDK may put into an error: status text, headers, texts. An error's body is
 * read up to 64 KB, scrubbed as a whole and cut; the rest is passed on as it comes.
 */
export async function guardResponse(response: Response, options: GuardedBodyOptions): Promise<Response> {
  const { scrubber } = options;
  const { body, status, ok } = response;
  if (scrubber === undefined) {
    const { statusText, url, headers } = response;
    return body === null ? response : makeResponse(guardBody(body, options), { status, statusText, url, headers });
  }
  const headers = scrubHeaders(response.headers, scrubber);
  const statusText = scrubber.scrub(response.statusText);
  const facts = { status, statusText, url: response.url, headers };
  if (body === null) {
    return headers === response.headers && statusText === response.statusText ? response : makeResponse(null, facts);
  }
  if (ok) {
    const isText = textual.test(response.headers.get("content-type") ?? "");
    return makeResponse(guardBody(body, isText ? options : { ...options, scrubber: undefined }), facts);
  }
  const text = await readScrubbed(guardBody(body, { ...options, scrubber: undefined }), scrubber);
  const kept = new Headers(headers);
  kept.delete("content-length");
  kept.delete("content-encoding");
  return makeResponse(Buffer.from(text, "latin1"), { ...facts, headers: kept });
}

interface ResponseFacts {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: Headers;
}

/** A response with any status and reason phrase that a server may send; the constructor takes those of the standard only. */
export function makeResponse(
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null,
  { status, statusText, url, headers }: ResponseFacts,
): Response {
  const isOrdinary = status >= 200 && status <= 599 && ![204, 205, 304].includes(status);
  const isPlain = /^[\t\x20-\x7e]*$/u.test(statusText);
  const response = new Response(body, {
    status: isOrdinary ? status : 200,
    statusText: isPlain ? statusText : "",
    headers,
  });
  const unusual = {
    ...(isOrdinary ? {} : { status, ok: status >= 200 && status <= 299 }),
    ...(isPlain ? {} : { statusText }),
  };
  for (const [name, value] of Object.entries({ url, ...unusual })) Object.defineProperty(response, name, { value });
  return response;
}

async function readScrubbed(body: ReadableStream<Uint8Array>, scrubber: KeyScrubber): Promise<string> {
  const limit = maxErrorLength + scrubber.span;
  const text = (await readUpTo(body, limit)).toString("latin1");
  const scrubbed = scrubber.scrub(text);
  // Where it was cut, a key may be cut too.
  const keeps = text.length < limit ? scrubbed.length : scrubbed.length - scrubber.span;
  return scrubbed.slice(0, Math.min(maxErrorLength, keeps));
}

function scrubHeaders(headers: Headers, scrubber: KeyScrubber): Headers {
  const echoes = [...headers].filter(([, value]) => scrubber.isIn(value));
  if (echoes.length === 0) return headers;
  const scrubbed = new Headers(headers);
  for (const [name, value] of echoes) scrubbed.set(name, scrubber.scrub(value));
  return scrubbed;
}
