import { isByokError } from "../../errors.ts";
import { explainImport, importFailed } from "../../explain-import.ts";
import type { WsModule } from "./slot-websocket.ts";

/** The package `ws`; `undefined` where it is not installed, which only slots notice that open sockets. */
export async function loadWs(): Promise<WsModule | undefined> {
  try {
    return await import("ws");
  } catch (error) {
    const explained = explainImport(error, "sockets", "ws@8");
    // No provider's, and no slot's: every call needs to know whether it is there.
    if (!isByokError(explained) || explained.code === "import_failed") throw importFailed(error, '"ws"');
    if (explained.code === "sdk_missing") return undefined;
    throw explained;
  }
}
