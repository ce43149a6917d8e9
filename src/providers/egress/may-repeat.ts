import { nodeCrypto } from "../../node-crypto.ts";
import type { Vendor } from "./vendor.ts";

/** A request as its caller asks for it. */
interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: RequestInit["headers"];
}

/** Whether it may arrive twice: by its method, by its path, or because the provider drops repetitions of its own accord. */
export function mayRepeat({ repeatable }: Pick<Vendor, "repeatable">, { url, method, headers }: Asked): boolean {
  const isSafe = /^(?:get|head|put|delete|options)$/iu.test(method);
  const isHarmless = repeatable?.test(pathOf(url)) ?? false;
  return isHarmless || isSafe || new Headers(headers).has("idempotency-key");
}

/** Its headers, with an `idempotency-key` where the provider takes one and the caller gave none. */
export function keyIfIdempotent({ idempotent }: Pick<Vendor, "idempotent">, asked: Asked): RequestInit["headers"] {
  const { url, method, headers: given } = asked;
  const isIdempotent = idempotent !== undefined && method.toLowerCase() === "post" && idempotent.test(pathOf(url));
  if (!isIdempotent) return given;
  const headers = new Headers(given);
  if (!headers.has("idempotency-key")) headers.set("idempotency-key", nodeCrypto().randomUUID());
  return headers;
}

function pathOf(url: string): string {
  return url.replace(/[?#].*$/su, "");
}
