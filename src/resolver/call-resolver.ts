import type { Clock } from "../clock.ts";
import { type SnapshotAnswer, SnapshotCache, type SnapshotRequest } from "../coherence/snapshot-cache.ts";
import { Deadline } from "../deadline.ts";
import { ByokError, isByokError, type SlotFailure } from "../errors.ts";
import { assertOrgId } from "../identifier.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { nonNegativeInteger, positiveMs } from "../options.ts";
import { ownProperty } from "../own-property.ts";
import { providerUnknown } from "../providers/provider-unknown.ts";
import type { Slot } from "../slot.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { NamedSlot } from "./agent-config.ts";
import { readClientOptions, readResolveOptions } from "./call-options.ts";
import { KeyChooser } from "./key-chooser.ts";
import { type ChosenSlot, ResolutionClients, type ResolvedSlot, toResolvedSlot } from "./resolved-slot.ts";
import type { AgentConfig, ClientOptions, ResolveOptions, ResolverHealth } from "./resolver.ts";
import type { ResolverSettings } from "./resolver-settings.ts";
import { SdkLoader } from "./sdk-loader.ts";
import { SlotBinder } from "./slot-binder.ts";

type ReadAgent = typeof import("./agent-config.ts").parseSlots;

/**
 * How much of the deadline one read of the store may take, waiting for its turn included: what is left lets a fallback
 * or what was last known still answer in time.
 */
const readShare = 0.8;

/** What `createResolver` builds; the public types are laid over it there. */
export class CallResolver {
  readonly #clock: Clock;
  readonly #settings: ResolverSettings;
  readonly #store: KeyStore;
  readonly #cache: SnapshotCache;
  readonly #sdks: SdkLoader = new SdkLoader();
  readonly #binder: SlotBinder;
  readonly #chooser: KeyChooser;
  readonly #closing: AbortController = new AbortController();
  #readAgent: ReadAgent | undefined;

  constructor(clock: Clock, store: KeyStore, keyring: Keyring, settings: ResolverSettings) {
    const { shared, leaseMs, pollMs, maxOrgs, deadlineMs, onEvent } = settings;
    const readLimitMs = deadlineMs * readShare;
    this.#clock = clock;
    this.#settings = settings;
    this.#store = store;
    this.#cache = new SnapshotCache({ store, keyring, shared, clock, leaseMs, pollMs, maxOrgs, readLimitMs, onEvent });
    this.#binder = new SlotBinder(settings.providers, this.#sdks);
    this.#chooser = new KeyChooser(settings);
  }

  async ready(): Promise<void> {
    this.#cache.shared?.listen();
    const { deadlineMs } = this.#settings;
    const deadline = new Deadline(this.#clock, deadlineMs, [this.#closing.signal], () => this.#notReady(deadlineMs));
    await deadline.race(this.#cache.feed.poll());
    await this.#loadAgentReader();
    const { preload, providers } = this.#settings;
    if (preload === undefined) await this.#sdks.loadInstalled([...providers.values()]);
    else for (const provider of preload) await this.#sdks.load(provider);
  }

  async resolve(orgId: string, agent: AgentConfig, given?: ResolveOptions): Promise<Record<string, unknown>> {
    const options = readResolveOptions(given);
    const deadline = this.#startDeadline(assertOrgId(orgId), options);
    const readAgent = this.#readAgent ?? (await deadline.race(this.#loadAgentReader()));
    const slots = await this.#serve(orgId, readAgent(orgId, agent), options.atLeast, deadline);
    const resolution: Record<string, unknown> = { orgId };
    for (const resolved of slots) resolution[resolved.slot] = resolved;
    return resolution;
  }

  async client(orgId: string, provider: string, given?: ClientOptions): Promise<ResolvedSlot> {
    const options = readClientOptions(given);
    const deadline = this.#startDeadline(assertOrgId(orgId), options);
    const { providers } = this.#settings;
    const known = providers.get(provider);
    if (known === undefined) throw providerUnknown(orgId, providers.keys());
    const slot = options.slot ?? (known.serves[0] as Slot);
    const named = { slot, provider, model: undefined, voice: undefined };
    const [resolved] = await this.#serve(orgId, [named], options.atLeast, deadline);
    return resolved as ResolvedSlot;
  }

  health(): ResolverHealth {
    const { memory, feed, reads, shared } = this.#cache;
    const leftMs = memory.leaseLeftMs();
    const { following, leaseStart } = memory.history;
    const lastSeq = following?.seq ?? 0;
    return {
      isReady: leaseStart !== undefined && !this.#closing.signal.aborted && (feed.failures === 0 || leftMs > 0),
      lease: { leftMs },
      feed: { lastSeq, head: Math.max(feed.head, lastSeq), failures: feed.failures },
      memory: { organisations: memory.size, reads },
      cache: shared === undefined ? "none" : shared.isUp ? "up" : "down",
      lostHistory: memory.history.lost ?? null,
      warnings: [
        ...(ownProperty(this.#store, "warnings")?.call(this.#store) ?? []),
        ...(this.#settings.shared?.cache.warnings() ?? []),
      ],
    };
  }

  async close(): Promise<void> {
    this.#closing.abort(new ByokError("closed", "The resolver was closed. Build a new one with createResolver()."));
    this.#cache.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** SDKs are loaded before the snapshot is read, so that nothing stands between the use rule and the hand-out. */
  async #serve(
    orgId: string,
    named: readonly NamedSlot[],
    atLeast: number | undefined,
    deadline: Deadline,
  ): Promise<ResolvedSlot[]> {
    deadline.throwIfEnded();
    // What is at hand is taken without a wait: every one costs as much as finding it.
    const bound = this.#binder.bindLoaded(named) ?? (await this.#binder.bind(named, deadline));
    const providers: string[] = [];
    for (const slot of bound) if (!isFailure(slot)) providers.push(slot.provider.id);
    const request = this.#toRequest(providers, atLeast);
    const isNeeded = providers.length > 0;
    const answer = isNeeded
      ? (this.#cache.hit(orgId, request) ?? (await this.#read(orgId, request, deadline)))
      : undefined;
    const outcomes = bound.map((slot) => (isFailure(slot) ? slot : this.#chooser.choose(orgId, slot, answer)));
    const failures = outcomes.filter(isFailure);
    if (failures.length > 0) throw slotsFailed(orgId, failures);
    const clients = new ResolutionClients();
    return (outcomes as ChosenSlot[]).map((slot) => toResolvedSlot(slot, clients));
  }

  #toRequest(providers: readonly string[], atLeast = 0): SnapshotRequest {
    return {
      providers,
      atLeast: nonNegativeInteger("atLeast", atLeast),
      acceptsOverdue: (answer) => this.#chooser.mayServe(providers, answer),
    };
  }

  /** While the store does not answer: what was last known, which each slot judges for itself, or `undefined`. */
  async #read(orgId: string, request: SnapshotRequest, deadline: Deadline): Promise<SnapshotAnswer | undefined> {
    try {
      return await this.#cache.read(orgId, request, deadline);
    } catch (error) {
      if (!isByokError(error) || error.code !== "store_unavailable") throw error;
      return this.#cache.lastKnown(orgId, request.atLeast);
    }
  }

  #startDeadline(orgId: string, { deadlineMs, signal, atLeast = 0 }: ResolveOptions): Deadline {
    const limitMs = deadlineMs === undefined ? this.#settings.deadlineMs : positiveMs("deadlineMs", deadlineMs);
    const signals = signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal];
    return new Deadline(this.#clock, limitMs, signals, () => this.#expired(orgId, limitMs, atLeast));
  }

  #notReady(limitMs: number): ByokError {
    const { progress } = this.#cache.feed;
    if (progress === undefined) {
      const message = `The database did not show its change log within ${limitMs} ms. Check it, then call ready() again.`;
      return new ByokError("store_unavailable", message);
    }
    const { read, total } = progress;
    const message = `${read} of the log's ${total} changes were read within ${limitMs} ms. Call ready() again: reading goes on.`;
    return new ByokError("deadline_exceeded", message);
  }

  #expired(orgId: string, limitMs: number, atLeast: number): ByokError {
    if (atLeast > 0 && !this.#cache.memory.history.hasReadUpTo(atLeast)) {
      const message = `The database did not show change ${atLeast} within ${limitMs} ms. Check that the number comes from this database, then try again.`;
      return new ByokError("change_not_visible", message, { orgId });
    }
    const message = `The call did not end within ${limitMs} ms. Try again, or raise \`deadlineMs\`.`;
    return new ByokError("deadline_exceeded", message, { orgId });
  }

  /** Loaded with the first agent: the validator takes longer to import than everything else together. */
  async #loadAgentReader(): Promise<ReadAgent> {
    this.#readAgent ??= (await import("./agent-config.ts")).parseSlots;
    return this.#readAgent;
  }
}

function isFailure(outcome: object): outcome is SlotFailure {
  return Object.hasOwn(outcome, "code");
}

function slotsFailed(orgId: string, failures: readonly SlotFailure[]): ByokError {
  const [first] = failures as readonly [SlotFailure, ...SlotFailure[]];
  const message = failures.map((failed) => `${failed.slot} (${failed.provider}): ${failed.message}`).join(" ");
  return new ByokError(first.code, message, { orgId, provider: first.provider, slot: first.slot, failures });
}
