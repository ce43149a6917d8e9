import { callHook } from "../call-hook.ts";
import { copyOwn } from "../own-property.ts";
import { isSilence } from "./describe-redis-failure.ts";
import type { CacheSubscription, ChangeNotice } from "./key-cache.ts";
import { createSubscriber, type RedisClient, type RedisSubscriber } from "./redis-client.ts";
import type { RedisFailures } from "./redis-failures.ts";

/** The longest notice there can be: 255 code units of an id, each escaped, and a number. Longer ones are not even read. */
const maxNoticeBytes = 2_048;
/** Messages that are read in one window, however many come. */
const maxPerWindow = 1_250;
const windowMs = 250;
/** Between two signs of life that are asked for, in milliseconds: nothing else shows that a silent connection is dead. */
const beatMs = 5_000;
/** Before the channel is asked for once more, where it was refused, in milliseconds. */
const retryMs = 5_000;

/** Hears the notices of one channel on a connection of its own, which is made and subscribed again whenever it is lost. */
export class RedisSubscription implements CacheSubscription {
  readonly #subscriber: RedisSubscriber;
  readonly #channel: Buffer;
  readonly #failures: RedisFailures;
  readonly #onNotice: (notice: ChangeNotice) => void;
  readonly #beat: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;
  #resume: NodeJS.Timeout | undefined;
  #windowEndsAtMs = 0;
  #read = 0;
  #isClosed = false;

  constructor(redis: RedisClient, channel: string, failures: RedisFailures, onNotice: (notice: ChangeNotice) => void) {
    this.#channel = Buffer.from(channel);
    this.#failures = failures;
    this.#onNotice = onNotice;
    this.#subscriber = createSubscriber(redis);
    this.#subscriber.on("error", this.#onError);
    this.#subscriber.on("ready", this.#subscribe);
    this.#subscriber.on("messageBuffer", this.#onMessage);
    this.#beat = setInterval(this.#askForLife, beatMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#beat);
    clearTimeout(this.#retry);
    clearTimeout(this.#resume);
    this.#subscriber.off("ready", this.#subscribe);
    this.#subscriber.off("messageBuffer", this.#onMessage);
    // Its listener for errors stays until the connection has ended: one that comes meanwhile does not matter.
    this.#subscriber.once("end", () => this.#subscriber.off("error", this.#onError));
    this.#subscriber.disconnect();
    this.#failures.noteSuccess("subscribe");
  }

  readonly #onError = (error: unknown): void => {
    if (!this.#isClosed) this.#failures.note("subscribe", error);
  };

  readonly #subscribe = (): void => {
    clearTimeout(this.#retry);
    this.#subscriber.subscribe(this.#channel.toString()).then(
      () => this.#failures.noteSuccess("subscribe"),
      (error: unknown) => {
        this.#onError(error);
        this.#retry = setTimeout(() => {
          // One that is not connected subscribes once it is.
          if (!this.#isClosed && this.#subscriber.status === "ready") this.#subscribe();
        }, retryMs).unref();
      },
    );
  };

  /** A cluster's subscriber is not within reach: there the change log shows what was not heard. */
  readonly #askForLife = (): void => {
    const { isCluster, status } = this.#subscriber;
    if (isCluster || status !== "ready") return;
    this.#subscriber.ping().catch((error: unknown) => {
      if (isSilence(error) && !this.#isClosed) this.#subscriber.disconnect(true);
    });
  };

  readonly #onMessage = (from: Buffer, message: Buffer): void => {
    if (!this.#mayRead() || message.length > maxNoticeBytes || !this.#channel.equals(from)) return;
    const notice = parseNotice(message.toString());
    if (notice !== undefined) callHook(this.#onNotice, notice);
  };

  /** Beyond a window's share the connection is not read either until the window ends, so that a flood waits in Redis. */
  #mayRead(): boolean {
    const nowMs = performance.now();
    if (nowMs >= this.#windowEndsAtMs) {
      this.#windowEndsAtMs = nowMs + windowMs;
      this.#read = 0;
    }
    this.#read += 1;
    if (this.#read === maxPerWindow) this.#pause(this.#windowEndsAtMs - nowMs);
    return this.#read <= maxPerWindow;
  }

  #pause(ms: number): void {
    const { stream } = this.#subscriber;
    stream?.pause();
    this.#resume = setTimeout(() => stream?.resume(), ms).unref();
  }
}

/** Anybody may publish: what is no notice is dropped. */
function parseNotice(text: string): ChangeNotice | undefined {
  try {
    const { org, seq, first } = copyOwn(JSON.parse(text) as Readonly<Record<string, unknown>>);
    if (!(typeof org === "string" || org === null) || !(seq === null || isSeq(seq))) return undefined;
    return { orgId: org, seq, ...(isSeq(first) ? { firstSeq: first } : {}) };
  } catch {
    return undefined;
  }
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
