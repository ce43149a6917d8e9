import { isByokError } from "../../errors.ts";
import { explainImport } from "../../explain-import.ts";
import type { WsModule } from "./slot-websocket.ts";

/** The package `ws`; `undefined` where it is not installed, which only slots notice that open sockets. */
export async function loadWs(): Promise<WsModule | undefined> {
  try {
    return await import("ws");
  } catch (error) {
    const explained = explainImport(error, "sockets", "ws@8");
    // No provider's: who imports byokit's own says what is to be done.
    if (!isByokError(explained) || explained.code === "import_failed") throw error;
    if (explained.code === "sdk_missing") return undefined;
    throw explained;
  }
}
