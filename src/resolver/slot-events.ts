import type { SentRequest } from "../providers/egress/key-supply.ts";
import type { ChosenSlot } from "./chosen-slot.ts";
import type { ResolverEvent } from "./resolver-event.ts";

/** What an operator is told of a slot that a call holds: a request that was answered, or failed. */
export function toRequestEvent({ orgId, provider, slot }: ChosenSlot, sent: SentRequest): ResolverEvent {
  const { serving, status, durationMs } = sent;
  const { source, secretId } = serving;
  return { type: "request", orgId, provider: provider.id, slot, source, secretId, status, durationMs };
}

/** That somebody else serves it from now on: `chosen`. */
export function toSourceChanged({ orgId, provider, slot, serving, shown }: ChosenSlot): ResolverEvent {
  const { source, secretId } = serving;
  const event = { type: "source_changed", orgId, provider: provider.id, slot, source, secretId } as const;
  return shown.reason === "configured" ? event : { ...event, failure: shown.reason };
}

/** That it runs on what was known `overdueMs` before the lease ended. */
export function toStaleEvent({ orgId, provider, slot, serving }: ChosenSlot, overdueMs: number): ResolverEvent {
  return { type: "stale", orgId, provider: provider.id, slot, source: serving.source, overdueMs };
}
