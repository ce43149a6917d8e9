import { ByokError, type SlotFailure } from "../errors.ts";
import type { ChosenSlot } from "./chosen-slot.ts";

/** What a call fails with of which some slots cannot be served: all of them are named, and the first gives the code. */
export function slotsFailed(orgId: string, failures: readonly SlotFailure[]): ByokError {
  const [first] = failures as readonly [SlotFailure, ...SlotFailure[]];
  const message = failures.map((failed) => `${failed.slot} (${failed.provider}): ${failed.message}`).join(" ");
  return new ByokError(first.code, message, { orgId, provider: first.provider, slot: first.slot, failures });
}

/** What a slot that a call holds fails with, once it was served. */
export function toSlotError({ code, message }: SlotFailure, held: ChosenSlot): ByokError {
  const isRevoked = code === "key_not_configured" && held.serving.source === "byok";
  return isRevoked ? keyRevoked(held) : new ByokError(code, message, detailsOf(held));
}

export function keyRevoked(held: ChosenSlot): ByokError {
  const message = `The organisation has removed its key of "${held.provider.id}", and nothing may stand in. End what runs on it.`;
  return new ByokError("key_revoked", message, detailsOf(held));
}

export function keyReplaced(held: ChosenSlot): ByokError {
  const message = `Another key of "${held.provider.id}", or another host, serves the slot from now on. Reopen what is open.`;
  return new ByokError("key_replaced", message, detailsOf(held));
}

function detailsOf({ orgId, provider, slot }: ChosenSlot) {
  return { orgId, provider: provider.id, slot };
}
