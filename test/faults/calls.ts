import { isByokError, type Resolver, type ResolverEvent } from "../../src/index.ts";
import type { ada } from "../support/ada.ts";

/** Milliseconds by the monotonic clock that all processes of this machine share. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** A call that a worker has begun. */
export interface Call {
  readonly orgId: string;
  readonly startedAt: number;
  /**
   * It was not answered when a timer fired that had been set in the turn it began in, for shortly after its deadline.
   * Timers of one process fire in their order, however long it stood still: what is late has only itself to blame.
   */
  isLate: boolean;
}

/** A call that was answered. */
export interface Outcome extends Readonly<Call> {
  readonly value?: string;
  readonly failed?: string;
  readonly stale: boolean;
  readonly endedAt: number;
  /**
   * The earliest that the turn can have begun in which it was answered. A worker may be stopped in the middle of that
   * turn, after the use rule was checked, and cannot be faulted for it.
   */
  readonly handedOutAt: number;
  /** When the worker began to follow the history of the database that it follows: its start, or its last flush. */
  readonly followsSince: number;
}

/** What a worker tells its parent, many times a second. */
export interface Report {
  readonly sentAt: number;
  /** Calls that have no answer yet. */
  readonly open: readonly Call[];
  readonly outcomes: readonly Outcome[];
  /** How often each event has come, since the worker began. */
  readonly events: Readonly<Record<string, number>>;
}

/** Between two calls of one organisation. */
export const everyMs = 10;
/** Between the deadline of a call and the timer that finds it late. */
const lateAfterMs = 25;

/** Calls every organisation it is told to, again and again, and remembers what it was handed out. */
export class Calls {
  readonly #deadlineMs: number;
  readonly #isDefault: boolean;
  #turns = 0;
  readonly #open = new Set<Call>();
  readonly #events: Record<string, number> = {};
  #outcomes: Outcome[] = [];
  #followsSince: number = nowMs();
  /** What the event loop had done when the newest calls began: no turn that is under way began before. */
  #busySince: ReturnType<typeof performance.eventLoopUtilization> = performance.eventLoopUtilization();
  orgIds: readonly string[] = [];

  /** `isDefault`: the resolver has this deadline, so that every second turn's calls name none and may take the short way. */
  constructor(deadlineMs: number, isDefault = false) {
    this.#deadlineMs = deadlineMs;
    this.#isDefault = isDefault;
  }

  /** Returns what ends it. */
  begin(resolver: Resolver<typeof ada>): () => void {
    const calling = setInterval(() => {
      this.#turns += 1;
      this.#busySince = performance.eventLoopUtilization();
      for (const orgId of this.orgIds) void this.#call(resolver, orgId);
    }, everyMs);
    return () => clearInterval(calling);
  }

  heard(event: ResolverEvent): void {
    if (event.type === "flushed") this.#followsSince = nowMs();
    const detail = "reason" in event ? event.reason : "from" in event ? event.from : undefined;
    const name = detail === undefined ? event.type : `${event.type}: ${detail}`;
    this.#events[name] = (this.#events[name] ?? 0) + 1;
  }

  report(): Report {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    return { sentAt: nowMs(), open: [...this.#open], outcomes, events: this.#events };
  }

  async #call(resolver: Resolver<typeof ada>, orgId: string): Promise<void> {
    const call: Call = { orgId, startedAt: nowMs(), isLate: false };
    this.#open.add(call);
    const isBare = this.#isDefault && this.#turns % 2 === 0;
    const answered = answerOf(resolver, orgId, isBare ? undefined : { deadlineMs: this.#deadlineMs });
    const late = setTimeout(() => {
      call.isLate = true;
    }, this.#deadlineMs + lateAfterMs);
    const answer = await answered;
    const endedAt = nowMs();
    const busyMs = performance.eventLoopUtilization(this.#busySince).active;
    clearTimeout(late);
    this.#open.delete(call);
    const handedOutAt = Math.max(call.startedAt, endedAt - busyMs);
    this.#outcomes.push({ ...call, ...answer, endedAt, handedOutAt, followsSince: this.#followsSince });
  }
}

async function answerOf(
  resolver: Resolver<typeof ada>,
  orgId: string,
  options: { readonly deadlineMs: number } | undefined,
): Promise<Pick<Outcome, "value" | "failed" | "stale">> {
  try {
    const { llm } = await resolver.resolve(orgId, { llm_config: { provider: "ada" } }, options);
    return { value: llm.credential.key.reveal(), stale: llm.stale };
  } catch (error) {
    return { failed: isByokError(error) ? error.code : String(error), stale: false };
  }
}
