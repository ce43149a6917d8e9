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
import { probe } from "./use-rule.ts";
import type { ProcessClock } from "./virtual-time.ts";
import type { WorldShape } from "./world-shape.ts";

/** The most slots that a worker's calls hold. */
const maxHeld = 3;

const agent = { llm_config: { provider: "ada" } } as const;

/** The name of one of the organisations. */
export const orgIdAt = (index: number): string => String.fromCharCode(97 + index);

interface HeldCall {
  readonly orgId: string;
  readonly value: Value;
  readonly llm: { readonly fetch: typeof fetch };
  /** The slot's, where the call watches it. */
  readonly signal: AbortSignal | undefined;
}

/** What a worker's calls report to. */
export interface Court extends Servers {
  readonly shape: WorldShape;
  /** How many calls have ended. */
  resolves: number;
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
  /** Those whose calls may be given up, newest first. */
  readonly #callers: AbortController[] = [];

  constructor(court: Court, clock: ProcessClock, hasCache: boolean, callStaleMs: number) {
    this.#court = court;
    this.clock = clock;
    this.#callStaleMs = callStaleMs;
    const { leaseMs, serveStaleMs, absentStaleMs, maxOrgs, entryMs } = court.shape;
    this.resolver = createResolverOn<typeof ada>(clock, {
      store: storeOn(court, clock, this.#knowledge),
      keyring: keyringOn(court, clock),
      ...(hasCache ? { cache: cacheOn(court, clock, entryMs) } : {}),
      providers: [ada],
      platformKeys: { ada: "platform" },
      leaseMs,
      deadlineMs: 2_000,
      serveStaleMs,
      absentStaleMs,
      callStaleMs,
      maxOrgs,
      onEvent: (event) => {
        const detail = "reason" in event ? event.reason : "from" in event ? event.from : "";
        court.seen.add(`${event.type} ${detail}`.trim());
      },
    });
  }

  /** Starts a call; when it ends, what it was handed out is judged in that very turn. */
  call(orgId: string, atLeast: Change | undefined): void {
    if (this.clock.isStopped) return;
    const signal = this.#court.shape.hasSignals ? this.#callerSignal() : undefined;
    const options = { ...(atLeast === undefined ? {} : { atLeast: atLeast.seq }), ...(signal && { signal }) };
    this.#judgeCall(orgId, this.resolver.resolve(orgId, agent, options), atLeast, signal);
  }

  /** Starts a call without options, which may take the short way. */
  callBare(orgId: string): void {
    if (this.clock.isStopped) return;
    this.#judgeCall(orgId, this.resolver.resolve(orgId, agent), undefined, undefined);
  }

  #judgeCall(
    orgId: string,
    call: ReturnType<typeof this.resolver.resolve<typeof agent>>,
    atLeast: Change | undefined,
    signal: AbortSignal | undefined,
  ): void {
    const { violations, seen, shape } = this.#court;
    call.then(
      ({ llm }) => {
        this.#court.resolves += 1;
        if (atLeast !== undefined) seen.add("atLeast served");
        const value = llm.source === "byok" ? llm.credential.key.reveal() : null;
        const staleMs = value === null ? Number.POSITIVE_INFINITY : shape.serveStaleMs;
        this.#judge(orgId, value, llm.stale ? staleMs : 0, atLeast);
        this.#held.unshift({ orgId, value, llm, signal: shape.hasSignals ? llm.signal : undefined });
        this.#held.splice(maxHeld);
      },
      (error: unknown) => {
        this.#court.resolves += 1;
        const isGone = signal?.aborted === true && error === signal.reason;
        seen.add(isByokError(error) ? `failed ${error.code}` : isGone ? "caller gone" : "failed");
        if (!isByokError(error) && !isGone) violations.push(`a call failed with ${String(error)}`);
      },
    );
  }

  /** Some caller gives its call up. */
  hangUp(choice: number): boolean {
    const caller = this.#callers[choice % Math.max(1, this.#callers.length)];
    caller?.abort(new Error("gone"));
    return caller !== undefined;
  }

  /** Judges whatever its memory would admit in this very turn, for a call that holds it, as if it was handed out. */
  judgeHeld(): void {
    if (this.clock.isStopped) return;
    for (const { memory, snapshot } of this.#knowledge.taken) {
      if (!probe(() => memory.admits(snapshot) && memory.isFresh(snapshot))) continue;
      const key = snapshot.keys.get("ada");
      if (key === undefined) this.#judgeValue(snapshot.orgId, null, 0);
      else if ("secret" in key) this.#judgeValue(snapshot.orgId, key.secret.reveal(), 0);
    }
  }

  /** What this worker's calls and slots say wrongly once everything was mended and has arrived. */
  async judgeHealed(): Promise<void> {
    const { database, violations, shape, seen } = this.#court;
    if (this.resolver.health().feed.failures > 0) violations.push("not ready by itself once everything was mended");
    for (const { orgId, value, signal } of this.#held) {
      const isTold = signal === undefined || value === null || value === database.keyOf(orgId) || signal.aborted;
      if (!isTold) violations.push(`a slot was not told that its key was replaced or removed, ${orgId}: ${value}`);
      if (signal?.aborted) seen.add("slot told");
    }
    await Promise.all(
      Array.from({ length: shape.organisations }, async (_, at) => {
        const orgId = orgIdAt(at);
        const now = database.keyOf(orgId);
        const { llm } = await this.resolver.resolve(orgId, agent);
        this.#court.resolves += 1;
        const value = llm.source === "byok" ? llm.credential.key.reveal() : null;
        if (value !== now || llm.stale)
          violations.push(`not the newest once everything was mended, ${orgId}: ${value}`);
      }),
    ).catch((error: unknown) => violations.push(`not served once everything was mended: ${String(error)}`));
  }

  #callerSignal(): AbortSignal {
    const caller = new AbortController();
    this.#callers.unshift(caller);
    this.#callers.splice(maxHeld);
    return caller.signal;
  }

  /** Sends a request of a slot that a call holds. It is judged in the turn in which its head is written. */
  request(choice: number): void {
    const held = this.#held[choice % Math.max(1, this.#held.length)];
    if (held === undefined || this.clock.isStopped) return;
    const { network, seen, violations, shape } = this.#court;
    const dispatcher = dispatcherOf(network, this.clock, (headers) => {
      const shown = headers.get("authorization")?.replace("Bearer ", "") ?? "nothing";
      seen.add(`request ${shown === "platform" ? shown : "byok"}`);
      // Absence may be believed past the lease, for a slot that was resolved so as well.
      if (shown === "platform") this.#judge(held.orgId, null, Number.POSITIVE_INFINITY, undefined);
      else this.#judge(held.orgId, shown, Math.max(this.#callStaleMs, shape.serveStaleMs), undefined);
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
    const truth = this.#judgeValue(orgId, value, staleMs);
    const { database, violations } = this.#court;
    if (truth >= 0) this.#knowledge.add(new Map([[orgId, truth]]));
    // A number alone cannot tell a history that was lost from the one that a worker follows, until it reads the log.
    if (this.#knowledge.timesBack !== database.timesBack) return;
    if (database.truth.first(orgId, value, atLeast?.truths.get(orgId) ?? 0) < 0) {
      violations.push(`older than \`atLeast\`, ${orgId}: ${value}`);
    }
  }

  /** Returns which of the organisation's truths it is; -1 when it is none that may be handed out. */
  #judgeValue(orgId: string, value: Value, staleMs: number): number {
    const { database, time, violations } = this.#court;
    const { leaseMs } = this.#court.shape;
    const name = `${orgId}: ${value}`;
    if (value !== null && !value.endsWith(`-of-${orgId}`)) violations.push(`another organisation's key, ${name}`);
    const isAbsentStale = value === null && staleMs > 0;
    if (!isAbsentStale && !database.truth.was(orgId, value, time.nowMs - leaseMs - (value === null ? 0 : staleMs))) {
      violations.push(`older than the lease, ${name}`);
    }
    const truth = database.truth.first(orgId, value, this.#knowledge.of(orgId));
    if (truth < 0) violations.push(`older than a known change, ${name}`);
    return truth;
  }
}
