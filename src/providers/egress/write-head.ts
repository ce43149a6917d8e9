import type { Socket } from "node:net";
import type { Secret } from "../../secret.ts";
import { AnswerMask } from "./answer-mask.ts";
import { RequestHead } from "./request-head.ts";

const headEnd = "\r\n\r\n";

/** A head for the key that serves in the turn in which it is written. */
export interface WrittenHead {
  readonly head: string;
  readonly key: Secret;
}

type Done = (error?: Error | null) => void;

export interface HeadWriter {
  /** Says what to write in place of a head. What it throws destroys the socket, and nothing is sent. */
  rewrite(head: RequestHead): WrittenHead | Promise<WrittenHead>;
  /** Told of the first bytes that come back. */
  onAnswer(bytes: Buffer): void;
}

/**
 * Rewrites what leaves first on `socket`, a request's head, below everything that writes to it: what is written, ended or
 * corked comes by here, and waits its turn while the head is decided. From then on the key is masked in what comes back: an
 * error of the answer's parser holds the bytes that came, and servers echo.
 */
export function writeHead(socket: Socket, { rewrite, onAnswer }: HeadWriter): Socket {
  const writeFirst = async (chunk: string | Uint8Array, encoding: BufferEncoding, done: Done): Promise<void> => {
    try {
      const [text, body] = splitHead(chunk);
      const rewriting = rewrite(new RequestHead(text));
      // Without a turn in between where none is needed: what serves now is what leaves.
      const { head, key } = "head" in rewriting ? rewriting : await rewriting;
      maskAnswers(socket, key, onAnswer);
      Reflect.deleteProperty(socket, "_write");
      Reflect.deleteProperty(socket, "_writev");
      const writeBody: Done = (error) => (error ? done(error) : socket._write(body, encoding, done));
      socket._write(`${head}${headEnd}`, "latin1", body.length === 0 ? done : writeBody);
    } catch (error) {
      done(error as Error);
    }
  };
  define(socket, "_write", (chunk: string | Uint8Array, encoding: BufferEncoding, done: Done) => {
    void writeFirst(chunk, encoding, done);
  });
  // One by one until the head is out.
  define(socket, "_writev", null);
  return socket;
}

/** Node writes a head as one text, alone or with the body's beginning, which may be in another encoding. */
function splitHead(chunk: string | Uint8Array): [head: string, body: string | Uint8Array] {
  const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1");
  const end = text.indexOf(headEnd);
  if (end < 0) throw new Error("What was written first is no head of a request.");
  return [text.slice(0, end), chunk.slice(end + headEnd.length)];
}

function maskAnswers(socket: Socket, key: Secret, onAnswer: (bytes: Buffer) => void): void {
  const mask = new AnswerMask(key);
  const { push } = socket;
  let isFirst = true;
  define(socket, "push", (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (!Buffer.isBuffer(chunk)) {
      const rest = chunk === null ? mask.flush() : undefined;
      if (rest !== undefined && rest.length > 0) push.call(socket, rest);
      return push.call(socket, chunk, encoding);
    }
    if (isFirst) onAnswer(chunk);
    isFirst = false;
    const masked = mask.mask(chunk);
    return masked.length === 0 || push.call(socket, masked);
  });
}

function define(socket: Socket, name: string, value: unknown): void {
  Object.defineProperty(socket, name, { value, configurable: true, writable: true });
}
