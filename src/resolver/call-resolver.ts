import { type Clock, systemClock } from "../clock.ts";
import { SnapshotCache } from "../coherence/snapshot-cache.ts";
import { Deadline } from "../deadline.ts";
import { ByokError } from "../errors.ts";
import { importOwn } from "../explain-import.ts";
import { assertOrgId } from "../identifier.ts";
import { loadWs } from "../providers/egress/load-ws.ts";
import { providerUnknown } from "../providers/provider-unknown.ts";
import type { Slot } from "../slot.ts";
import { type NamedSlot, parseSlots } from "./agent-config.ts";
import { readClientOptions, readResolveOptions } from "./call-options.ts";
import { type ChosenSlot, isFailure } from "./chosen-slot.ts";
import { describeHealth } from "./describe-health.ts";
import { KeyChooser } from "./key-chooser.ts";
import { KeyMarks } from "./key-marks.ts";
import { rehearse } from "./rehearse.ts";
import { type ResolvedAgent, toResolution } from "./resolved-agent.ts";
import type { ResolvedSlot } from "./resolved-slot.ts";
import type { AgentConfig, ClientOptions, ResolveOptions, ResolverHealth } from "./resolver.ts";
import type { ResolverSettings } from "./resolver-settings.ts";
import { SdkLoader } from "./sdk-loader.ts";
import { SlotBinder } from "./slot-binder.ts";
import { SlotDecisions } from "./slot-decisions.ts";
import { slotsFailed } from "./slot-errors.ts";
import { type SlotContext, toResolvedSlot } from "./slot-handle.ts";
import { SlotsAtHand } from "./slots-at-hand.ts";
import { UseNotes } from "./use-notes.ts";

/**
 * How much of the deadline one read of the store may take, waiting for its turn included: what is left lets a fallback
 * or what was last known still answer in time.
 */
const readShare = 0.8;

/** What an agent can name. */
const agentSlots: readonly Slot[] = ["llm", "stt", "tts", "realtime"];

/** What `createResolver` builds; the public types are laid over it there. */
export class CallResolver {
  readonly #clock: Clock;
  readonly #settings: ResolverSettings;
  readonly #cache: SnapshotCache;
  readonly #sdks: SdkLoader;
  readonly #binder: SlotBinder;
  readonly #decisions: SlotDecisions;
  readonly #notes: UseNotes;
  readonly #closing: AbortController = new AbortController();
  readonly #atHand: SlotsAtHand;
  #rehearsal: Promise<void> | undefined;
  /** `undefined`: it is not known yet whether `ws` is installed. */
  #context: SlotContext | undefined;

  constructor(clock: Clock, settings: ResolverSettings, sdks: SdkLoader = new SdkLoader()) {
    const { store, keyring, shared, leaseMs, pollMs, maxOrgs, deadlineMs, onEvent } = settings;
    const readLimitMs = deadlineMs * readShare;
    this.#clock = clock;
    this.#settings = settings;
    this.#cache = new SnapshotCache({ store, keyring, shared, clock, leaseMs, pollMs, maxOrgs, readLimitMs, onEvent });
    this.#sdks = sdks;
    this.#binder = new SlotBinder(settings, sdks);
    const marks = new KeyMarks(clock, maxOrgs);
    const chooser = new KeyChooser(settings, clock, marks);
    this.#atHand = new SlotsAtHand(this.#cache, marks);
    this.#notes = new UseNotes(clock, store);
    const { signal } = this.#closing;
    this.#decisions = new SlotDecisions(clock, this.#cache, chooser, settings, marks, this.#notes, signal);
  }

  async ready(): Promise<void> {
    this.#cache.shared?.listen();
    const { deadlineMs } = this.#settings;
    const deadline = new Deadline(this.#clock, deadlineMs, [this.#closing.signal], () => this.#notReady(deadlineMs));
    await deadline.race(this.#cache.feed.poll());
    await this.#makeContext();
    const { clients, mustHaveClients } = this.#settings;
    if (!mustHaveClients) await this.#sdks.loadInstalled([...clients]);
    else for (const provider of clients) await this.#sdks.load(provider);
    this.#rehearsal ??= this.#rehearse();
    await this.#rehearsal;
  }

  /** No async function: one takes twice the memory of what it answers with when everything is at hand. */
  resolve(orgId: string, agent: AgentConfig, given?: ResolveOptions): Promise<ResolvedAgent> {
    const context = given === undefined ? this.#context : undefined;
    const atHand = context === undefined ? undefined : this.#atHand.find(orgId, agent);
    if (context === undefined || atHand === undefined) return this.#find(orgId, agent, given);
    return Promise.resolve(toResolution(orgId, atHand, context));
  }

  async #find(orgId: string, agent: AgentConfig, given: ResolveOptions | undefined): Promise<ResolvedAgent> {
    const options = readResolveOptions(given);
    const deadline = this.#decisions.startDeadline(assertOrgId(orgId), options);
    const slots = await this.#choose(orgId, parseSlots(orgId, agent), options.atLeast, deadline);
    const [llm, stt, tts, realtime] = agentSlots.map((name) => slots.find(({ slot }) => slot === name));
    return toResolution(orgId, { llm, stt, tts, realtime }, this.#context as SlotContext);
  }

  async client(orgId: string, provider: string, given?: ClientOptions): Promise<ResolvedSlot> {
    const options = readClientOptions(given);
    const deadline = this.#decisions.startDeadline(assertOrgId(orgId), options);
    const { providers } = this.#settings;
    const known = providers.get(provider);
    if (known === undefined) throw providerUnknown(orgId, providers.keys());
    const slot = options.slot ?? (known.serves[0] as Slot);
    const named = { slot, provider, model: undefined, voice: undefined };
    return await this.#serve(orgId, named, options.atLeast, deadline);
  }

  health(): ResolverHealth {
    return describeHealth(this.#cache, this.#settings, this.#closing.signal);
  }

  async close(): Promise<void> {
    this.#closing.abort(new ByokError("closed", "The resolver was closed. Build a new one with createResolver()."));
    this.#notes.close();
    this.#cache.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** SDKs are loaded before the snapshot is read, so that nothing stands between the use rule and the hand-out. */
  async #choose(
    orgId: string,
    named: readonly NamedSlot[],
    atLeast: number | undefined,
    deadline: Deadline,
  ): Promise<readonly ChosenSlot[]> {
    deadline.throwIfEnded();
    // What is at hand is taken without a wait: every one costs as much as finding it.
    const bound = this.#binder.bindLoaded(named) ?? (await this.#binder.bind(orgId, named, deadline));
    if (this.#context === undefined) await deadline.outside(this.#makeContext());
    const outcomes = await this.#decisions.resolve(orgId, bound, atLeast, deadline);
    const failures = outcomes.filter(isFailure);
    if (failures.length > 0) throw slotsFailed(orgId, failures);
    this.#atHand.keep(outcomes as readonly ChosenSlot[]);
    return outcomes as readonly ChosenSlot[];
  }

  async #serve(
    orgId: string,
    named: NamedSlot,
    atLeast: number | undefined,
    deadline: Deadline,
  ): Promise<ResolvedSlot> {
    const [chosen] = await this.#choose(orgId, [named], atLeast, deadline);
    return toResolvedSlot(chosen as ChosenSlot, this.#context as SlotContext);
  }

  /** The log is read anew, so that what is decided then knows every change that was made before. */
  async #renew({ orgId, slot, shown: { provider, model, voice } }: ChosenSlot): Promise<ResolvedSlot> {
    const deadline = this.#decisions.startDeadline(orgId, {});
    await deadline.race(this.#cache.feed.pollAnew().catch(() => {}));
    const named = { slot, provider, model, voice };
    return await this.#serve(orgId, named, undefined, deadline);
  }

  async #rehearse(): Promise<void> {
    const settings: ResolverSettings = {
      ...this.#settings,
      shared: undefined,
      fallback: () => "fail",
      onEvent: () => {},
      maxOrgs: 1,
    };
    await rehearse(
      (store, keyring) => new CallResolver(systemClock, { ...settings, store, keyring }, this.#sdks),
      settings.builtin.filter((provider) => this.#sdks.peek(provider) !== undefined),
    );
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

  async #makeContext(): Promise<void> {
    const load = () => Promise.all([loadWs(), import("../providers/egress/egress.ts")]);
    const [ws, { SlotEgress: Egress }] = await importOwn(load);
    this.#context ??= { decisions: this.#decisions, Egress, ws, renew: (chosen) => this.#renew(chosen) };
  }
}
