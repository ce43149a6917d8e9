import type { Refusal } from "./double.ts";

export const xaiRefusal = (status: number, error: string, code = "Client specified an invalid argument"): Refusal => ({
  status,
  body: { code, error },
});
