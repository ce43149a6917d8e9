import { nodeCrypto } from "../../node-crypto.ts";
/** What every placeholder begins with; no key may. */
export const placeholderPrefix = "byokit-placeholder-";

/**
 * Stands where an SDK wants a key. Random for each slot: ElevenLabs' SDK verifies what calls in with a hash of its key, and
 * anyone who knew the placeholder could forge that.
 */
export function createPlaceholder(): string {
  return `${placeholderPrefix}${nodeCrypto().randomUUID()}`;
}
