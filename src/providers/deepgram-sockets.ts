import { ByokError } from "../errors.ts";
import type { Egress } from "./egress/egress.ts";
import { extendWebSocket, type SlotWebSocket, wsClassOf } from "./egress/slot-websocket.ts";

type Listener = (value: unknown) => void;

/** What the SDK's `connect()` resolves to. The one that reconnects is in it, and has opened nothing yet. */
interface DeepgramSocket {
  readonly socket?: { readonly _options?: { WebSocket?: unknown } };
  on(event: string, listener: Listener): unknown;
  off?(event: string, listener: Listener): unknown;
  handleError?(event: { readonly message: string }): void;
}

type Connect = (...args: unknown[]) => Promise<DeepgramSocket>;

type SocketClass = new (...args: unknown[]) => Emitting;

interface Emitting extends SlotWebSocket {
  emit(event: string, ...values: readonly unknown[]): boolean;
}

/** Gives the SDK's sockets those of the slot, at every reconnect too. */
export function leaveBy(sockets: object, egress: Egress): void {
  for (const version of ["v1", "v2"]) {
    const get = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(sockets), version)?.get;
    if (get === undefined) continue;
    Object.defineProperty(sockets, version, {
      get() {
        const api = get.call(sockets) as { connect: Connect };
        const { connect } = api;
        api.connect = async (...args) => {
          const opened = await connect.apply(api, args);
          const options = opened.socket?._options;
          if (options === undefined) return opened;
          const { WebSocket: Base } = options;
          const Slots = Base === undefined ? egress.WebSocket : extendWebSocket(wsClassOf(Base), egress);
          options.WebSocket = tellingClass(Slots as unknown as SocketClass, opened);
          return opened;
        };
        return api;
      },
    });
  }
}

/** The SDK tells of an error no more than its message, and parses each text where nothing catches. */
function tellingClass(Slots: SocketClass, opened: DeepgramSocket): unknown {
  let last: unknown;
  tellCauses(opened, () => last);
  return class DeepgramWebSocket extends Slots {
    constructor(...args: unknown[]) {
      super(...args);
      this.on("error", (error: unknown) => {
        last = error;
      });
    }

    override emit(event: string, ...values: readonly unknown[]): boolean {
      if (event !== "message" || values[1] === true || isJson(values[0])) return super.emit(event, ...values);
      const message = '"deepgram" sent a text that is no JSON. Check its host; if it goes on, open another socket.';
      last = new ByokError("provider_failed", message, { provider: "deepgram" });
      opened.handleError?.({ message });
      return true;
    }
  };
}

function tellCauses(opened: DeepgramSocket, causeOf: () => unknown): void {
  const { on, off } = opened;
  const telling = new WeakMap<Listener, Listener>();
  const toTelling = (event: string, listener: Listener): Listener => {
    if (event !== "error" || typeof listener !== "function") return listener;
    const found = telling.get(listener) ?? ((error) => listener(withCause(error, causeOf())));
    telling.set(listener, found);
    return found;
  };
  opened.on = (event, listener) => on.call(opened, event, toTelling(event, listener));
  if (off !== undefined) opened.off = (event, listener) => off.call(opened, event, toTelling(event, listener));
}

function withCause(error: unknown, cause: unknown): unknown {
  const isCaused = error instanceof Error && cause instanceof Error && cause.message === error.message;
  return isCaused ? Object.defineProperty(error, "cause", { value: cause, configurable: true, writable: true }) : error;
}

function isJson(text: unknown): boolean {
  try {
    JSON.parse(String(text));
    return true;
  } catch {
    return false;
  }
}
