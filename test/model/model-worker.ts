import { isByokError } from "../../src/errors.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import type { Resolver } from "../../src/resolver/resolver.ts";
import { ada } from "../support/ada.ts";
import { Knowledge } from "./knowledge.ts";
import type { Change } from "./model-database.ts";
import { cacheOn, keyringOn, type Servers, storeOn } from "./ports.ts";
import type { Value } from "./truth.ts";
import type { ProcessClock } from "./virtual-time.ts";

export const leaseMs = 10_000;

const agent = { llm_config: { provider: "ada" } } as const;

/** What a worker's calls report to. */
export interface Court extends Servers {
  readonly time: { readonly nowMs: number };
  readonly violations: string[];
  readonly seen: Set<string>;
}

/** A worker of the real code; what its calls are handed out is judged by all that it knows. */
export class ModelWorker {
  readonly clock: ProcessClock;
  readonly resolver: Resolver<typeof ada>;
  readonly #court: Court;
  readonly #knowledge = new Knowledge();

  constructor(court: Court, clock: ProcessClock, hasCache: boolean) {
    this.#court = court;
    this.clock = clock;
    this.resolver = createResolverOn<typeof ada>(clock, {
      store: storeOn(court, clock, this.#knowledge),
      keyring: keyringOn(court, clock),
      ...(hasCache ? { cache: cacheOn(court, clock) } : {}),
      providers: [ada],
      platformKeys: { ada: "platform" },
      leaseMs,
      deadlineMs: 2_000,
      absentStaleMs: 20_000,
      maxOrgs: 1,
      onEvent: (event) => {
        const detail = "reason" in event ? event.reason : "from" in event ? event.from : "";
        court.seen.add(`${event.type} ${detail}`.trim());
      },
    });
  }

  /** Starts a call; when it ends, what it was handed out is judged in that very turn. */
  call(orgId: string, atLeast: Change | undefined): void {
    if (this.clock.isStopped) return;
    const { violations, seen } = this.#court;
    const options = atLeast === undefined ? {} : { atLeast: atLeast.seq };
    this.resolver.resolve(orgId, agent, options).then(
      ({ llm }) => {
        if (atLeast !== undefined) seen.add("atLeast served");
        this.#judge(orgId, llm.source === "byok" ? llm.credential.key.reveal() : null, llm.stale, atLeast);
      },
      (error: unknown) => {
        seen.add(isByokError(error) ? `failed ${error.code}` : "failed");
        if (!isByokError(error)) violations.push(`a call failed with ${String(error)}`);
      },
    );
  }

  #judge(orgId: string, value: Value, isStale: boolean, atLeast: Change | undefined): void {
    const { database, time, violations } = this.#court;
    const name = `${orgId}: ${value}`;
    if (value !== null && !value.endsWith(`-of-${orgId}`)) violations.push(`another organisation's key, ${name}`);
    const isAbsentStale = value === null && isStale;
    if (!isAbsentStale && !database.truth.was(orgId, value, time.nowMs - leaseMs)) {
      violations.push(`older than the lease, ${name}`);
    }
    const truth = database.truth.first(orgId, value, this.#knowledge.of(orgId));
    if (truth < 0) violations.push(`older than a known change, ${name}`);
    if (truth >= 0) this.#knowledge.add(new Map([[orgId, truth]]));
    // A number alone cannot tell a history that was lost from the one that a worker follows, until it reads the log.
    if (this.#knowledge.timesBack !== database.timesBack) return;
    if (database.truth.first(orgId, value, atLeast?.truths.get(orgId) ?? 0) < 0) {
      violations.push(`older than \`atLeast\`, ${name}`);
    }
  }
}
