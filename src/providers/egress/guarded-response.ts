import { type GuardedBodyOptions, guardBody } from "./guarded-body.ts";
import type { KeyScrubber } from "./key-scrubber.ts";
import { readScrubbedBytes, readScrubbedError, readScrubbedText } from "./read-scrubbed.ts";

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

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
  const kept = await readScrubbedError(body, options, scrubber);
  return toResponse(response, options, new Response(kept, typeOf(headers, scrubber)));
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
 * standard only. What an SDK does not look at is not made: a body that is read whole needs no stream of its own. It is a
 * `Response` by its prototype alone, and so everything that has to do with one is said here.
 */
class GuardedResponse {
  readonly #answer: Response;
  readonly #options: GuardedBodyOptions;
  #headers: Headers | undefined;
  /** Has the body. Absent: the answer itself has it still. */
  #carrier: Response | undefined;

  constructor(answer: Response, options: GuardedBodyOptions, carrier?: Response) {
    this.#answer = answer;
    this.#options = options;
    this.#carrier = carrier;
  }

  get type(): Response["type"] {
    return this.#answer.type;
  }

  get redirected(): boolean {
    return this.#answer.redirected;
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
    return (this.#carrier ?? this.#answer).bodyUsed;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#isUntouched() ? (await this.#read(readScrubbedBytes)).buffer : await this.#carry().arrayBuffer();
  }

  async blob(): Promise<Blob> {
    return await this.#carry().blob();
  }

  async bytes(): Promise<Uint8Array> {
    return this.#isUntouched() ? await this.#read(readScrubbedBytes) : await this.#carry().bytes();
  }

  async formData(): Promise<FormData> {
    return await this.#carry().formData();
  }

  async json(): Promise<unknown> {
    return this.#isUntouched() ? JSON.parse(await this.#read(readScrubbedText)) : await this.#carry().json();
  }

  async text(): Promise<string> {
    return this.#isUntouched() ? await this.#read(readScrubbedText) : await this.#carry().text();
  }

  clone(): Response {
    const carrier = this.#carry().clone();
    return withHeaders(toResponse(this.#answer, this.#options, carrier), new Headers(this.headers));
  }

  /** Whether there is a body that has neither been read nor asked for as a stream. */
  #isUntouched(): boolean {
    return this.#carrier === undefined && this.#answer.body !== null && !this.#answer.bodyUsed;
  }

  #read<T>(how: (body: Body, options: GuardedBodyOptions) => T): T {
    const { body, headers } = this.#answer;
    const isBinary = binary.test(headers.get("content-type") ?? "");
    return how(body as Body, isBinary ? { ...this.#options, scrubber: undefined } : this.#options);
  }

  /** A body that has been read is still the answer's own, which refuses to be read again as the runtime does. */
  #carry(): Response {
    if (this.#carrier === undefined && !this.#isUntouched()) return this.#answer;
    this.#carrier ??= new Response(this.#read(guardBody), typeOf(this.#answer.headers, this.#options.scrubber));
    return this.#carrier;
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

Object.setPrototypeOf(GuardedResponse.prototype, Response.prototype);

/** Of a form and of a Blob their type says what they are. */
function typeOf(headers: Headers, scrubber: KeyScrubber | undefined): ResponseInit {
  const type = headers.get("content-type");
  return type === null ? {} : { headers: { "content-type": scrubber?.scrub(type) ?? type } };
}
