import { type GuardedBodyOptions, guardBody } from "./guarded-body.ts";
import type { KeyScrubber } from "./key-scrubber.ts";
import { readUpTo } from "./read-up-to.ts";

/** The most of an error's body that is kept, in bytes. */
const maxErrorLength = 65_536;

/** No SDK puts any of it into an error, and no parser of texts is handed it. */
const binary = /^(?:audio|video|image|font)\/|^application\/(?:octet-stream|zip|gzip|pdf)\b/iu;

/**
 * An answer without the key in any place that an SDK may put into an error: status text, headers, body. An error's body is
 * read up to 64 KB, scrubbed as a whole and cut; the rest is passed on as it comes.
 */
export async function guardResponse(response: Response, options: GuardedBodyOptions): Promise<Response> {
  const { scrubber } = options;
  const { body, ok, headers } = response;
  if (scrubber === undefined || body === null || ok) return toResponse(response, options);
  const unscrubbed = guardBody(body, { ...options, scrubber: undefined });
  const kept = await readScrubbed(unscrubbed, scrubber);
  return toResponse(response, options, new Response(kept, typeOf(headers)));
}

function toResponse(answer: Response, options: GuardedBodyOptions, carrier?: Response): Response {
  return new GuardedResponse(answer, options, carrier) as unknown as Response;
}

/** `response` with other headers. */
export function withHeaders(response: Response, headers: Headers): Response {
  return Object.defineProperty(response, "headers", { value: headers, configurable: true });
}

/**
 * Shows an answer as it came but for the key, and with any status and reason phrase: the constructor takes those of the
 * standard only. What an SDK does not look at is not made.
 */
class GuardedResponse extends (Response as unknown as new (body: null) => object) {
  readonly #answer: Response;
  readonly #options: GuardedBodyOptions;
  #headers: Headers | undefined;
  /** Has the body. */
  #carrier: Response | undefined;

  constructor(answer: Response, options: GuardedBodyOptions, carrier?: Response) {
    super(null);
    this.#answer = answer;
    this.#options = options;
    this.#carrier = carrier;
  }

  get status(): number {
    return this.#answer.status;
  }

  get ok(): boolean {
    return this.#answer.ok;
  }

  get url(): string {
    return this.#answer.url;
  }

  get statusText(): string {
    const { statusText } = this.#answer;
    return this.#options.scrubber?.scrub(statusText) ?? statusText;
  }

  get headers(): Headers {
    this.#headers ??= this.#scrubHeaders();
    return this.#headers;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#answer.body === null ? null : this.#carry().body;
  }

  get bodyUsed(): boolean {
    return this.#carrier?.bodyUsed ?? false;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return await this.#carry().arrayBuffer();
  }

  async blob(): Promise<Blob> {
    return await this.#carry().blob();
  }

  async bytes(): Promise<Uint8Array> {
    return await this.#carry().bytes();
  }

  async formData(): Promise<FormData> {
    return await this.#carry().formData();
  }

  async json(): Promise<unknown> {
    return await this.#carry().json();
  }

  async text(): Promise<string> {
    return await this.#carry().text();
  }

  clone(): Response {
    const carrier = this.#carry().clone();
    return withHeaders(toResponse(this.#answer, this.#options, carrier), new Headers(this.headers));
  }

  #carry(): Response {
    this.#carrier ??= this.#makeCarrier();
    return this.#carrier;
  }

  #makeCarrier(): Response {
    const { body, headers } = this.#answer;
    if (body === null) return new Response(null);
    const isBinary = binary.test(headers.get("content-type") ?? "");
    const options = isBinary ? { ...this.#options, scrubber: undefined } : this.#options;
    return new Response(guardBody(body, options), typeOf(headers));
  }

  #scrubHeaders(): Headers {
    const { scrubber } = this.#options;
    const { headers } = this.#answer;
    const isShort = this.#carrier !== undefined && !this.#answer.ok && headers.has("content-length");
    const isEchoed = scrubber !== undefined && [...headers].some(([, value]) => scrubber.isIn(value));
    if (!isEchoed && !isShort) return headers;
    const scrubbed = new Headers();
    for (const [name, value] of headers) scrubbed.append(name, scrubber?.scrub(value) ?? value);
    if (isShort) scrubbed.delete("content-length");
    return scrubbed;
  }
}

/** Of a form and of a Blob their type says what they are. */
function typeOf(headers: Headers): ResponseInit {
  const type = headers.get("content-type");
  return type === null ? {} : { headers: { "content-type": type } };
}

async function readScrubbed(body: ReadableStream<Uint8Array>, scrubber: KeyScrubber): Promise<Uint8Array<ArrayBuffer>> {
  const limit = maxErrorLength + scrubber.span;
  const text = (await readUpTo(body, limit)).toString("latin1");
  const scrubbed = scrubber.scrub(text);
  // Where it was cut, a key may be cut too.
  const end = text.length < limit ? scrubbed.length : scrubber.breakOf(scrubbed);
  return new Uint8Array(Buffer.from(scrubbed.slice(0, Math.min(maxErrorLength, end)), "latin1"));
}
