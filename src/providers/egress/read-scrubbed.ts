import type { GuardedBodyOptions } from "./guarded-body.ts";
import type { KeyScrubber } from "./key-scrubber.ts";
import { fromLatin1, toLatin1 } from "./latin1.ts";
import { readBody } from "./read-body.ts";

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

/** The most of an error's body that is kept, in bytes. */
const maxErrorLength = 65_536;

const utf8 = new TextDecoder();

/** A body as a whole, without the key. */
export async function readScrubbedBytes(body: Body, options: GuardedBodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBody(body, options);
  const { scrubber } = options;
  if (scrubber === undefined) return bytes;
  const text = toLatin1(bytes);
  const scrubbed = scrubber.scrub(text);
  return scrubbed === text ? bytes : fromLatin1(scrubbed);
}

/** A body as a whole and as a text, without the key. */
export async function readScrubbedText(body: Body, options: GuardedBodyOptions): Promise<string> {
  const text = utf8.decode(await readBody(body, options));
  return options.scrubber?.scrub(text) ?? text;
}

/** The beginning of an error's body, scrubbed as a whole and cut. */
export async function readScrubbedError(
  body: Body,
  options: GuardedBodyOptions,
  scrubber: KeyScrubber,
): Promise<Uint8Array<ArrayBuffer>> {
  const limit = maxErrorLength + scrubber.span;
  const text = toLatin1(await readBody(body, options, limit));
  const scrubbed = scrubber.scrub(text);
  // Where it was cut, a key may be cut too.
  const end = text.length < limit ? scrubbed.length : scrubber.breakOf(scrubbed);
  return fromLatin1(scrubbed.slice(0, Math.min(maxErrorLength, end)));
}
