import { callPort } from "../call-hook.ts";
import type { SnapshotCache } from "../coherence/snapshot-cache.ts";
import { ownProperty } from "../own-property.ts";
import type { ResolverHealth } from "./resolver.ts";
import type { ResolverSettings } from "./resolver-settings.ts";

/** What a resolver is able to do at this moment. Asks neither the database nor Redis. */
export function describeHealth(
  { memory, feed, reads, shared }: SnapshotCache,
  settings: Pick<ResolverSettings, "store" | "shared">,
  closing: AbortSignal,
): ResolverHealth {
  const leftMs = memory.leaseLeftMs();
  const { following, leaseStart } = memory.history;
  const lastSeq = following?.seq ?? 0;
  const { store } = settings;
  return {
    isReady: leaseStart !== undefined && !closing.aborted && (feed.failures === 0 || leftMs > 0),
    lease: { leftMs },
    feed: { lastSeq, head: Math.max(feed.head, lastSeq), failures: feed.failures },
    memory: { organisations: memory.size, reads },
    cache: shared === undefined ? "none" : shared.isUp ? "up" : "down",
    lostHistory: memory.history.lost ?? null,
    warnings: [
      ...listWarnings(() => ownProperty(store, "warnings")?.call(store)),
      ...listWarnings(() => settings.shared?.cache.warnings()),
    ],
  };
}

function listWarnings(ask: () => readonly string[] | undefined): readonly string[] {
  const said = callPort(ask, undefined);
  return Array.isArray(said) ? said : [];
}
