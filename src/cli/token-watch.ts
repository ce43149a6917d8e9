import { open } from "node:fs/promises";
import { isByokError } from "../errors.ts";
import type { Authenticate } from "../http/principal.ts";
import { bearerTokens, parseTokens } from "../http/server/bearer-tokens.ts";
import type { RequestLogger } from "../http/server/serve-options.ts";
import { readText } from "./read-text.ts";

/** How often the file is read, in milliseconds. */
const everyMs = 1_000;
/** The most of it that is read: far more than its most tokens take. */
const maxBytes = 32 * 1_024 * 1_024;

export interface WatchedTokens extends Disposable {
  readonly authenticate: Authenticate;
  /** Reads the file now, and says what came of it. Never rejects. */
  reread(): Promise<void>;
}

/**
 * The tokens of a file, which is read again every second and compared by what it holds: a file system's times and its
 * notices miss changes, on network mounts and where one file takes another's place. While it is broken or gone, the tokens
 * of its last good state hold, and the log says so.
 *
 * @throws ByokError `options_invalid` when the file is not valid to begin with
 */
export function watchTokens(file: string, logger: RequestLogger): WatchedTokens {
  let text = readText(file, "of tokens");
  let authenticate = bearerTokens(parseTokens(text));
  let trouble: string | undefined;

  const read = async (isAsked: boolean): Promise<void> => {
    try {
      const now = await readBounded(file);
      if (now === text && trouble === undefined && !isAsked) return;
      const tokens = parseTokens(now);
      authenticate = bearerTokens(tokens);
      text = now;
      trouble = undefined;
      logger.info({ tokens: tokens.length }, "tokens read");
    } catch (error) {
      const detail = isByokError(error) ? error.message : `The file cannot be read (${codeOf(error)}). Repair it.`;
      if (detail !== trouble || isAsked) logger.error({ detail }, "tokens kept as they were");
      trouble = detail;
    }
  };

  let underWay: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const run = (isAsked: boolean): Promise<void> => {
    underWay = read(isAsked).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
  /** One read at a time, and one that waits for it: a read that began before a change may not have seen it. */
  const reread = (): Promise<void> => {
    if (underWay === undefined) return run(true);
    next ??= underWay.then(() => {
      next = undefined;
      return run(true);
    });
    return next;
  };
  const timer = setInterval(() => {
    if (underWay === undefined && next === undefined) void run(false);
  }, everyMs);
  timer.unref();
  return {
    authenticate: (request) => authenticate(request),
    reread,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

async function readBounded(path: string): Promise<string> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  if (size > maxBytes) throw new Error("too long");
  return await file.readFile("utf8");
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "too long";
}
