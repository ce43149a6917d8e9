import type { GuardedBodyOptions } from "./guarded-body.ts";

type Chunk = Uint8Array<ArrayBuffer>;

/**
 * A body as a whole, or its first `limit` bytes at most; the rest is cancelled. Each chunk has a deadline of its own, so that
 * one that is long does not end a healthy answer. The body stays locked: it is not read a second time.
 */
export async function readBody(
  body: ReadableStream<Chunk>,
  { limitMs, expiry, toFailure }: GuardedBodyOptions,
  limit: number = Number.POSITIVE_INFINITY,
): Promise<Chunk> {
  const reader = body.getReader();
  const chunks: Chunk[] = [];
  let size = 0;
  let expired: Error | undefined;
  const cancel = (): void => void reader.cancel().catch(() => {});
  // One for all chunks, and no promise of its own: the read that is pending ends as the body is cancelled.
  const timer = setTimeout(() => {
    expired = expiry();
    cancel();
  }, limitMs);
  try {
    while (size < limit) {
      const { done, value } = await reader.read();
      if (expired !== undefined) throw expired;
      if (done) return join(chunks, size);
      timer.refresh();
      chunks.push(value.subarray(0, limit - size));
      size += value.length;
    }
  } catch (error) {
    throw toFailure(error);
  } finally {
    clearTimeout(timer);
  }
  cancel();
  return join(chunks, limit);
}

/** In memory of its own, which is no larger. */
function join(chunks: readonly Chunk[], size: number): Chunk {
  const [first] = chunks;
  if (first?.length === size && first.buffer.byteLength === size) return first;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
