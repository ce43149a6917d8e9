import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { copyOwn } from "../../own-property.ts";
import { splitHead } from "./request-head.ts";

/** What is said over a connection: it decides what leaves in place of a request's head, and what is passed on of what comes. */
export interface Exchange {
  /** Sends a head in the place of the one that was written. What it throws destroys the connection, and nothing is sent. */
  writeHead(head: string): void | Promise<void>;
  /** More than a head is about to leave. */
  onMore(): void;
  onBytes(bytes: Buffer): void;
  /** Nothing more comes. */
  onEnd(error?: Error): void;
}

interface Chunk {
  readonly chunk: string | Uint8Array;
  readonly encoding: BufferEncoding;
}

type Done = (error?: Error | null) => void;

/**
 * What Node, and all that is above it, takes for its connection. The socket below may be replaced by another one as long as
 * nothing that came over it was passed on.
 */
export class SlotConnection extends Duplex {
  readonly #exchange: Exchange;
  readonly #settings = new Map<string, (socket: Socket) => unknown>();
  #socket!: Socket;
  /** The socket that is listened to: none once it has ended, or while it is replaced. */
  #heard: Socket | undefined;
  #isHeadOut = false;
  #replacing: Promise<void> | undefined;

  constructor(socket: Socket, exchange: Exchange) {
    // Texts keep their encoding: the head's is another than the body's.
    // Inherits nothing: streams read a `write`, an `encoding` and more that nothing here gave.
    super(copyOwn({ allowHalfOpen: false, decodeStrings: false }));
    this.#exchange = exchange;
    this.attach(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** From now on it leads over `socket`. One that was closed meanwhile closes that. */
  attach(socket: Socket): void {
    if (this.destroyed) socket.destroy();
    this.#socket = socket;
    this.#heard = socket;
    // It ends when who reads above has seen its end, and not before.
    socket.allowHalfOpen = true;
    const end = (error?: Error): void => {
      if (this.#heard !== socket) return;
      this.#heard = undefined;
      this.#exchange.onEnd(error);
    };
    socket.on("data", (bytes: Buffer) => {
      if (this.#heard === socket) this.#exchange.onBytes(bytes);
    });
    socket.once("end", () => end());
    socket.on("error", end);
    socket.once("close", () => {
      if (this.#heard === socket) this.destroy();
    });
    socket.on("timeout", () => {
      if (this.#socket === socket) this.emit("timeout");
    });
    for (const set of this.#settings.values()) set(socket);
  }

  /** What is written meanwhile waits. `work` attaches another socket, or destroys this; it never rejects. */
  replace(work: () => Promise<void>): void {
    this.#heard = undefined;
    this.#socket.destroy();
    this.#replacing = work().finally(() => {
      this.#replacing = undefined;
    });
  }

  /** Passes on what has come; the socket waits until it is taken. */
  pass(bytes: Buffer): void {
    if (bytes.length > 0 && !this.destroyed && !this.push(bytes)) this.#socket.pause();
  }

  /** Nothing more comes, or the connection has broken. The end of a socket that is being replaced is none. */
  finish(error?: Error): void {
    if (this.#replacing !== undefined) return;
    if (error !== undefined) this.destroy(error);
    else if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, done: Done): void {
    const isPassing = this.#isHeadOut && this.#replacing === undefined && !this.destroyed;
    if (isPassing) {
      this.#exchange.onMore();
      this.#socket.write(chunk, encoding, done);
    } else this._writev([{ chunk, encoding }], done);
  }

  override _writev(chunks: readonly Chunk[], done: Done): void {
    if (this.#replacing !== undefined) void this.#replacing.then(() => this._writev(chunks, done));
    else if (this.#isHeadOut) this.#writeAll(chunks, done);
    else void this.#writeFirst(chunks, done);
  }

  override _final(done: Done): void {
    if (this.#replacing === undefined) this.#socket.end(() => done());
    else void this.#replacing.then(() => this._final(done));
  }

  override _destroy(error: Error | null, done: Done): void {
    const socket = this.#socket;
    if (socket.closed) done(error);
    else socket.once("close", () => done(error)).destroy();
  }

  /** As a socket has it, for Node calls it. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  setTimeout(limitMs: number, onTimeout?: () => void): this {
    if (onTimeout !== undefined) this[limitMs === 0 ? "off" : "once"]("timeout", onTimeout);
    return this.#set("timeout", (socket) => socket.setTimeout(limitMs));
  }

  setNoDelay(isOn?: boolean): this {
    return this.#set("noDelay", (socket) => socket.setNoDelay(isOn));
  }

  setKeepAlive(isOn?: boolean, delayMs?: number): this {
    return this.#set("keepAlive", (socket) => socket.setKeepAlive(isOn, delayMs));
  }

  ref(): this {
    return this.#set("ref", (socket) => socket.ref());
  }

  unref(): this {
    return this.#set("ref", (socket) => socket.unref());
  }

  async #writeFirst([first, ...more]: readonly Chunk[], done: Done): Promise<void> {
    try {
      const { chunk, encoding } = first as Chunk;
      const [head, body] = splitHead(chunk);
      const writing = this.#exchange.writeHead(head);
      // Without a turn in between where none is needed: what serves now is what leaves.
      if (writing !== undefined) await writing;
      this.#isHeadOut = true;
      this.#writeAll(body.length === 0 ? more : [{ chunk: body, encoding }, ...more], done);
    } catch (error) {
      done(error as Error);
    }
  }

  #writeAll(chunks: readonly Chunk[], done: Done): void {
    const last = chunks.at(-1);
    if (last === undefined || this.destroyed) {
      done();
      return;
    }
    this.#exchange.onMore();
    const socket = this.#socket;
    socket.cork();
    for (const one of chunks) socket.write(one.chunk, one.encoding, one === last ? done : undefined);
    socket.uncork();
  }

  /** Holds for a socket that replaces this one, too. */
  #set(name: string, set: (socket: Socket) => unknown): this {
    this.#settings.set(name, set);
    set(this.#socket);
    return this;
  }
}

for (const name of ["remoteAddress", "remotePort", "remoteFamily", "localAddress", "localPort", "encrypted"])
  Object.defineProperty(SlotConnection.prototype, name, {
    configurable: true,
    get(this: SlotConnection) {
      return Reflect.get(this.socket, name);
    },
  });
