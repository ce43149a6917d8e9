import { systemClock } from "../../clock.ts";
import { within } from "../../deadline.ts";
import type { Secret } from "../../secret.ts";

/** The most of an error's body that is kept, in bytes. */
const maxErrorBytes = 65_536;

/**
 * The same response with a body whose every pending read ends by `limitMs`. The timer runs only while a read is
 * pending: a reader that takes its time does not end a healthy stream. Cancelling closes the request.
 */
export function readWithin(
  response: Response,
  limitMs: number,
  end: (error: Error) => void,
  timeout: () => Error,
): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await within(systemClock, limitMs, reader.read(), timeout);
          if (!done) return controller.enqueue(value as Uint8Array<ArrayBuffer>);
          controller.close();
        } catch (error) {
          controller.error(error);
          end(error as Error);
        }
      },
      async cancel(reason) {
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return copyResponse(response, body, response.headers);
}

/** An error response as text, cut at 64 KB, with the key taken out: what a provider or a proxy echoes ends up in logs. */
export async function scrubResponse(response: Response, key: Secret): Promise<Response> {
  if (response.body === null) return response;
  const text = removeKey(await readTextUpTo(response.body, maxErrorBytes), key);
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  headers.delete("content-encoding");
  return copyResponse(response, text, headers);
}

/** `text` without the key, also where JSON has escaped it. */
export function removeKey(text: string, key: Secret): string {
  const plain = key.reveal();
  return text.replaceAll(plain, "[key removed]").replaceAll(JSON.stringify(plain).slice(1, -1), "[key removed]");
}

/** The same response with these headers set. */
export function setHeaders(response: Response, set: Readonly<Record<string, string>>): Response {
  return copyResponse(response, response.body, new Headers([...response.headers, ...Object.entries(set)]));
}

/** At most `limit` bytes of a body as text; the rest is cancelled. */
export async function readTextUpTo(body: ReadableStream<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks).toString();
}

function copyResponse(
  response: Response,
  body: ReadableStream<Uint8Array> | string | null,
  headers: Headers,
): Response {
  const { status, statusText, url } = response;
  const copy = new Response(body, { status, statusText, headers });
  Object.defineProperty(copy, "url", { value: url });
  return copy;
}
