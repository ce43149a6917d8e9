// biome-ignore-all lint/suspicious/noTsIgnore: where the types of `ws` are installed there is no error to expect.
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
/** @ts-ignore: without the types of `ws`, which declarations of ours must not need, it is `any`. */
import type { WebSocket } from "ws";
import type { BuiltinProvider } from "../../providers/builtin.ts";
import type { Account } from "./account.ts";

export type DoubleSocket = WebSocket;

export type DoubleId = BuiltinProvider["id"];

/** What a key may do at a double. Nothing given: everything. */
export interface Grant {
  /** Valid, but without the scopes that reading models, projects or domains takes. */
  readonly restricted?: boolean;
  /** Valid, but its account has no credit left. */
  readonly quotaExceeded?: boolean;
  /** Known, but blocked by the provider. */
  readonly blocked?: boolean;
  /** Keys of one account see each other's stored responses and custom voices. @default an account of its own */
  readonly account?: string;
}

/** An answer in the provider's own words. */
export interface Refusal {
  readonly status: number;
  readonly body: unknown;
}

/** A request whose key was accepted. */
export interface DoubleRequest {
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** A short-lived token that opens what the key opens, as long as the key is accepted. */
  readonly mint: (prefix?: string) => string;
  readonly account: Account;
}

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: RegExp;
  /** Whether a restricted key is rejected here. */
  readonly needsScope?: boolean;
  /** Whether it answers without a key. One that is shown must be right. */
  readonly keyOptional?: boolean;
  answer(request: DoubleRequest, response: ServerResponse): void | Promise<void>;
}

export interface SocketRoute {
  readonly path: RegExp;
  /** Refuses an upgrade before it happens. */
  refuse?(url: URL, account: Account): Refusal | undefined;
  serve(socket: DoubleSocket, url: URL, account: Account): void;
  /** How a key is refused once the socket is open, and has sent so many frames. */
  refuseOpen(kind: OpenRefusal, framesSent: number): RefusedSocket;
}

/** Which keys are refused on a socket that is open already. */
export type OpenRefusal = "wrongKey" | "quotaExceeded";

/** What a socket is told when its key is refused, and how it is closed then; it stays open where no code is given. */
export interface RefusedSocket {
  readonly frame?: object;
  readonly closeCode?: number;
  readonly closeReason?: string;
}

/** What a subprotocol shows, and what it may be. */
export interface InProtocol {
  readonly shown: string;
  readonly as: readonly ("key" | "token")[];
}

/** One provider as a double plays it: how it reads a key, how it refuses one, what it serves. */
export interface Double {
  readonly id: DoubleId;
  /** What stands before every path, as the provider's base URL has it. */
  readonly prefix: string;
  keyOf(headers: IncomingHttpHeaders): string | undefined;
  /** Where a token shows that a key has minted, and which paths it opens; it is no key. */
  readonly tokens?: { of(headers: IncomingHttpHeaders): string | undefined; readonly open: RegExp };
  /** Where a socket shows a key or a token among the subprotocols that it offers, as browsers have to; on which paths. */
  readonly protocols?: {
    of(offered: readonly string[]): InProtocol | undefined;
    readonly open: RegExp;
  };
  readonly wrongKey: Refusal;
  readonly restricted: Refusal;
  readonly quotaExceeded: Refusal;
  readonly blocked: Refusal;
  readonly routes: readonly Route[];
  readonly sockets: readonly SocketRoute[];
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** The body as a JSON object; an empty one where it is none. */
export function jsonObject(body: Buffer | string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function bearer(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer (?<key>.+)$/u.exec(headers.authorization ?? "")?.groups?.["key"];
}

/** What follows the prefix of an offered subprotocol that has it. */
export function afterPrefix(offered: readonly string[], prefix: string): string | undefined {
  return offered.find((one) => one.startsWith(prefix))?.slice(prefix.length);
}

/** What a double received. */
export interface RecordedRequest {
  readonly provider: DoubleId;
  readonly kind: "http" | "websocket";
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** The key or the token that was presented, in whatever header the provider reads; `null` when there was none. */
  readonly key: string | null;
  /** Whether the double took the key. */
  readonly accepted: boolean;
  /** At most 64 KB of it; `null` for a websocket. */
  readonly body: string | null;
}

/** Writes a stream's pieces one by one, so that they arrive one by one; stops when the client has gone. */
export async function sendPieces(response: ServerResponse, pieces: Iterable<string | Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (response.destroyed) return;
    await new Promise<void>((resolve) => response.write(piece, () => setImmediate(resolve)));
  }
  response.end();
}

/** How a double misbehaves until it is told to stop. One at a time. */
export interface Misbehaviour {
  readonly stall?: "headers" | "body";
  readonly status?: number;
  readonly redirectTo?: string;
  readonly dropSocket?: boolean;
}
