import { ByokError } from "../../errors.ts";

/** Of undici's dispatchers, which `fetch` takes, what is used here. */
export interface Dispatcher {
  dispatch(options: object, handler: object): boolean;
}

/** Inherits nothing: undici reads options that were not given. A class, because objects made without a prototype are slow. */
class SentOptions {}
Object.setPrototypeOf(SentOptions.prototype, null);

type Begin = (control: unknown, ...rest: unknown[]) => unknown;

/** How undici says that a request's head is about to be written on its connection: up to version 7, and from 8 on. */
const beginnings = ["onConnect", "onRequestStart"] as const;

/**
 * A dispatcher that asks `confirm` once more when a request has its connection, in the turn in which the head is written:
 * name resolution, TLS and a full pool may have taken seconds since `fetch` was called. What `confirm` throws ends the
 * request, and nothing of it is sent. Everything else is `next`'s: an application's own dispatcher, proxy or mock.
 */
export class HeadGuard implements Dispatcher {
  readonly #next: Dispatcher;
  readonly #confirm: () => void;
  #control: unknown;
  #ended: Error | undefined;

  constructor(next: Dispatcher, confirm: () => void) {
    this.#next = next;
    this.#confirm = confirm;
  }

  dispatch(options: object, handler: object): boolean {
    let isGuarded = false;
    for (const name of beginnings) {
      const begin: unknown = Reflect.get(handler, name);
      if (typeof begin !== "function") continue;
      isGuarded = true;
      const beginGuarded = (control: unknown, context: unknown, ...rest: unknown[]): unknown => {
        try {
          if (this.#ended !== undefined) throw this.#ended;
          assertFirstHop(context);
          this.#confirm();
        } catch (error) {
          return abort(control, error);
        }
        this.#control = control;
        return (begin as Begin).call(handler, control, context, ...rest);
      };
      Object.defineProperty(handler, name, { value: beginGuarded, configurable: true, writable: true });
    }
    if (!isGuarded) throw cannotGuard();
    // Undici's own time-outs would end what `requestTimeoutMs` allows.
    const own = Object.assign(new SentOptions(), options, { headersTimeout: 0, bodyTimeout: 0 });
    return this.#next.dispatch(own, handler);
  }

  /** Ends the request, whether it has its connection already or waits for one. */
  end(error: Error): void {
    this.#ended = error;
    if (this.#control !== undefined) abort(this.#control, error);
  }
}

/** A dispatcher that follows redirects by itself would carry the key along. */
function assertFirstHop(context: unknown): void {
  const history: unknown =
    typeof context === "object" && context !== null ? Reflect.get(context, "history") : undefined;
  if (!Array.isArray(history) || history.length === 0) return;
  throw new ByokError("host_refused", "A redirect was to take a key along. Ask the provider's own host.");
}

function abort(control: unknown, error: unknown): void {
  if (typeof control === "function") control(error);
  else (control as { abort(reason: unknown): void }).abort(error);
}

function cannotGuard(): ByokError {
  const message = `byokit cannot watch how Node ${process.versions.node} sends requests. Use a version of Node that it supports.`;
  return new ByokError("sdk_unsupported", message);
}
