import type { Slot } from "../slot.ts";
import type { ResolvedSlot } from "./resolved-slot.ts";
import { type SlotContext, toResolvedSlot } from "./slot-handle.ts";
import type { ChosenSlots } from "./slots-at-hand.ts";

/** What an agent's call is given. */
export type ResolvedAgent = { readonly orgId: string } & Partial<Record<Slot, ResolvedSlot>>;

/** Each by its name: an engine knows such an object's shape, which a loop over names would hide from it. */
export function toResolution(
  orgId: string,
  { llm, stt, tts, realtime }: ChosenSlots,
  context: SlotContext,
): ResolvedAgent {
  const resolution: ResolvedAgent = { orgId };
  if (llm !== undefined) resolution.llm = toResolvedSlot(llm, context);
  if (stt !== undefined) resolution.stt = toResolvedSlot(stt, context);
  if (tts !== undefined) resolution.tts = toResolvedSlot(tts, context);
  if (realtime !== undefined) resolution.realtime = toResolvedSlot(realtime, context);
  return resolution;
}
