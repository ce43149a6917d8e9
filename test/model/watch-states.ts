import { History } from "../../src/coherence/history.ts";
import type { OpenedSnapshot } from "../../src/coherence/opened-snapshot.ts";
import { isFlush } from "../../src/coherence/page-outcome.ts";
import { WorkerMemory } from "../../src/coherence/worker-memory.ts";
import { knowledgeOf, watchKnowledge } from "./knowledge.ts";
import { allOfTheUseRule, watchUseRule } from "./use-rule.ts";

/** States, events and outcomes that a long search should have come by. Others count too; these are missed by name. */
export const knownStates: readonly string[] = [
  ...allOfTheUseRule,
  "atLeast served",
  "cache_down",
  "cache_up",
  "caller gone",
  "doubt: by a page or a read that came meanwhile",
  "doubt: by a row that is not known",
  "entry_refused other_history",
  "entry_refused outdated",
  "entry_refused unopened",
  "failed change_not_visible",
  "failed deadline_exceeded",
  "failed store_unavailable",
  "feed_recovered",
  "fences compacted",
  "flushed other_history",
  "flushed other_incarnation",
  "history_lost",
  "memory full",
  "page behind",
  "page contradicted",
  "page current",
  "page more",
  "page other_history",
  "page other_incarnation",
  "page overtaken",
  "poll_failed",
  "request byok",
  "request key_revoked",
  "request platform",
  "request store_unavailable",
  "reset",
  "slot told",
  "snapshot_refused",
  "snapshot_used cache",
  "snapshot_used memory",
  "snapshot_used store",
  "source_changed",
  "stale",
  "subscription_renewed",
];

/** The most snapshots of a worker that are judged after every step. */
const maxTaken = 8;

/** The world that is being watched. */
export interface Watched {
  maxOrgs: number;
  readonly seen: Set<string>;
  readonly violations: string[];
}

/** Notes what the real code decides, and what it remembers beyond its bounds, of the one world that runs at a time. */
export function watchStates(watched: Watched): void {
  watchUseRule(watched.seen);
  watchKnowledge();
  const { needsConfirmation, reset, compact } = History.prototype;
  const { applyPage, install } = WorkerMemory.prototype;

  History.prototype.needsConfirmation = function (snapshot, sentAt) {
    const isDoubted = needsConfirmation.call(this, snapshot, sentAt);
    if (isDoubted) {
      const isRead = this.hasReadUpTo(snapshot.asOf);
      watched.seen.add(`doubt: by ${isRead ? "a row that is not known" : "a page or a read that came meanwhile"}`);
    }
    return isDoubted;
  };
  History.prototype.reset = function () {
    watched.seen.add("reset");
    reset.call(this);
  };
  History.prototype.compact = function (keep) {
    watched.seen.add("fences compacted");
    compact.call(this, keep);
  };
  WorkerMemory.prototype.applyPage = function (page, request) {
    const outcome = applyPage.call(this, page, request);
    watched.seen.add(`page ${outcome}`);
    if (isFlush(outcome) && this.size > 0) watched.violations.push("something is remembered behind a flush");
    judgeBounds(this, watched);
    return outcome;
  };
  WorkerMemory.prototype.install = function (snapshot) {
    const isTaken = install.call(this, snapshot);
    if (isTaken) noteTaken(this, snapshot);
    judgeBounds(this, watched);
    return isTaken;
  };
}

function noteTaken(memory: WorkerMemory, snapshot: OpenedSnapshot): void {
  const taken = knowledgeOf(memory.history)?.taken;
  taken?.unshift({ memory, snapshot });
  taken?.splice(maxTaken);
}

function judgeBounds({ history, size }: WorkerMemory, { maxOrgs, seen, violations }: Watched): void {
  if (size === maxOrgs) seen.add("memory full");
  if (size > maxOrgs) violations.push(`${size} organisations are remembered, of ${maxOrgs}`);
  for (const count of [history.fenceCount, history.unconfirmedCount]) {
    if (count > 2 * maxOrgs) violations.push(`${count} fences are remembered, of ${2 * maxOrgs}`);
  }
}
