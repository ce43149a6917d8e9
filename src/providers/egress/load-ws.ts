import { isByokError } from "../../errors.ts";
import { importOptional } from "../../import-optional.ts";
import type { WsModule } from "./slot-websocket.ts";

/** The package `ws`; `undefined` where it is not installed, which only slots notice that open sockets. */
export async function loadWs(): Promise<WsModule | undefined> {
  try {
    return await importOptional("sockets", "ws@8", () => import("ws"));
  } catch (error) {
    if (isByokError(error) && error.code === "sdk_missing") return undefined;
    throw error;
  }
}
