import { type OptionKind, withMethods } from "../option-kinds.ts";

export const keyCacheKind: OptionKind = withMethods("a cache, as of redisCache({ redis })", [
  "get",
  "set",
  "invalidate",
  "subscribe",
  "warnings",
]);
