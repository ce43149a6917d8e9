import { byokErrorOf } from "../../src/byok-error-of.ts";
import { isByokError } from "../../src/errors.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import type { Resolver } from "../../src/resolver/resolver.ts";
import { ada } from "../support/ada.ts";
import { Knowledge } from "./knowledge.ts";
import type { Change } from "./model-database.ts";
import { dispatcherOf } from "./model-fetch.ts";
import type { Network } from "./network.ts";
import { cacheOn, keyringOn, type Servers, storeOn } from "./ports.ts";
import type { Value } from "./truth.ts";
import type { ProcessClock } from "./virtual-time.ts";

export const leaseMs = 10_000;

/** The most slots that a worker's calls hold. */
const maxHeld = 3;

const agent = { llm_config: { provider: "ada" } } as const;

interface HeldCall {
  readonly orgId: string;
  readonly llm: { readonly fetch: typeof fetch };
}

/** What a worker's calls report to. */
export interface Court extends Servers {
  readonly network: Network;
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
  readonly #callStaleMs: number;
  /** The slots that calls hold, newest first. */
  readonly #held: HeldCall[] = [];

  constructor(court: Court, clock: ProcessClock, hasCache: boolean, callStaleMs: number) {
    this.#court = court;
    this.clock = clock;
    this.#callStaleMs = callStaleMs;
    this.resolver = createResolverOn<typeof ada>(clock, {
      store: storeOn(court, clock, this.#knowledge),
      keyring: keyringOn(court, clock),
      ...(hasCache ? { cache: cacheOn(court, clock) } : {}),
      providers: [ada],
      platformKeys: { ada: "platform" },
      leaseMs,
      deadlineMs: 2_000,
      absentStaleMs: 20_000,
      callStaleMs,
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
        this.#judge(
          orgId,
          llm.source === "byok" ? llm.credential.key.reveal() : null,
          llm.stale ? Infinity : 0,
          atLeast,
        );
        this.#held.unshift({ orgId, llm });
        this.#held.splice(maxHeld);
      },
      (error: unknown) => {
        seen.add(isByokError(error) ? `failed ${error.code}` : "failed");
        if (!isByokError(error)) violations.push(`a call failed with ${String(error)}`);
      },
    );
  }

  /** Sends a request of a slot that a call holds. It is judged in the turn in which its head is written. */
  request(choice: number): void {
    const held = this.#held[choice % Math.max(1, this.#held.length)];
    if (held === undefined || this.clock.isStopped) return;
    const { network, seen, violations } = this.#court;
    const dispatcher = dispatcherOf(network, this.clock, (headers) => {
      const shown = headers.get("authorization")?.replace("Bearer ", "") ?? "nothing";
      seen.add(`request ${shown === "platform" ? shown : "byok"}`);
      // Absence may be believed past the lease, for a slot that was resolved so as well.
      if (shown === "platform") this.#judge(held.orgId, null, Number.POSITIVE_INFINITY, undefined);
      else this.#judge(held.orgId, shown, this.#callStaleMs, undefined);
    });
    held.llm.fetch("https://ada.example/", { dispatcher } as RequestInit).catch((error: unknown) => {
      const known = byokErrorOf(error);
      seen.add(`request ${known?.code ?? "failed"}`);
      if (known === undefined && !(error instanceof TypeError))
        violations.push(`a request failed with ${String(error)}`);
    });
  }

  /** `staleMs`: how much longer than the lease it may be used, for a database that is away. */
  #judge(orgId: string, value: Value, staleMs: number, atLeast: Change | undefined): void {
    const { database, time, violations } = this.#court;
    const name = `${orgId}: ${value}`;
    if (value !== null && !value.endsWith(`-of-${orgId}`)) violations.push(`another organisation's key, ${name}`);
    const isAbsentStale = value === null && staleMs > 0;
    if (!isAbsentStale && !database.truth.was(orgId, value, time.nowMs - leaseMs - (value === null ? 0 : staleMs))) {
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
