import type { Socket } from "node:net";

/** What a socket is waited for. */
export interface AwaitedSocket {
  /** The event after which `isReady` is asked. */
  readonly event: "connect" | "secureConnect" | "readable";
  /** Whether the wait is over. What it throws ends it. Absent: the event is enough. */
  readonly isReady?: () => boolean;
  /** What a socket that fails or closes first is told as. */
  readonly toFailure: (error: Error | undefined) => unknown;
  /** Ends the wait; what it rejects with is its reason. */
  readonly signal: AbortSignal;
}

/** Waits for an event of `socket`, and destroys it where that does not come. */
export async function awaitSocket(socket: Socket, { event, isReady, toFailure, signal }: AwaitedSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const told = (): void => {
    try {
      if (isReady === undefined || isReady()) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const lost = (error?: unknown): void => reject(toFailure(error instanceof Error ? error : undefined));
  const abort = (): void => reject(signal.reason);
  socket.on(event, told);
  socket.once("error", lost);
  socket.once("close", lost);
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await promise;
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    socket.off(event, told);
    socket.off("error", lost);
    socket.off("close", lost);
  }
}
