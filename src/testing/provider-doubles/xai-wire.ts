import type { OpenRefusal, Refusal, RefusedSocket } from "./double.ts";

/** What it refuses a key with, and why. */
export const xaiReasons = {
  wrongKey: "Incorrect API key provided. You can obtain an API key from https://console.x.ai.",
  quotaExceeded: "No credits.",
} as const;

export const xaiRefusal = (status: number, error: string, code = "Client specified an invalid argument"): Refusal => ({
  status,
  body: { code, error },
});

/** Of the sockets that hear and speak. */
export const refuseSocket = (kind: OpenRefusal): RefusedSocket => ({
  frame: { type: "error", message: xaiReasons[kind] },
  closeCode: 1_008,
});
