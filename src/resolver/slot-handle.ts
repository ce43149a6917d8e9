import type { Agent } from "node:http";
import { ByokError } from "../errors.ts";
import { abortSignal } from "../option-kinds.ts";
import type { SlotEgress } from "../providers/egress/egress.ts";
import { createPlaceholder } from "../providers/egress/placeholder.ts";
import type { SlotWebSocketClass, WsModule } from "../providers/egress/slot-websocket.ts";
import { refusalOfError } from "../providers/refusals/refusal-of-error.ts";
import { type OptionRules, readOptions } from "../read-options.ts";
import type { Slot } from "../slot.ts";
import type { ChosenSlot, ShownSlot } from "./chosen-slot.ts";
import { HeldSlot } from "./held-slot.ts";
import type { ConnectOptions, KeySource, ResolvedSlot, SlotCredential } from "./resolved-slot.ts";
import type { SlotDecisions } from "./slot-decisions.ts";

const connectRules: OptionRules<ConnectOptions> = { signal: abortSignal };

/** What a slot needs beside what was chosen for it. */
export interface SlotContext {
  readonly decisions: SlotDecisions;
  /** Loaded with the first call: importing byokit opens nothing of Node's network. */
  readonly Egress: typeof SlotEgress;
  /** `undefined`: `ws` is not installed. */
  readonly ws: WsModule | undefined;
  /** See `ResolvedSlot.renew`. */
  renew(chosen: ChosenSlot): Promise<ResolvedSlot>;
}

export function toResolvedSlot(chosen: ChosenSlot, context: SlotContext): ResolvedSlot {
  return new SlotHandle(chosen, context) as unknown as ResolvedSlot;
}

/**
 * A class and no literal, because every call makes some: one with a getter of its own costs five times as much. What most
 * calls never touch is made when it is first asked for.
 */
class SlotHandle implements ShownSlot {
  readonly provider: string;
  readonly slot: Slot;
  readonly model: string;
  readonly voice: string | undefined;
  readonly source: KeySource["source"];
  readonly reason: KeySource["reason"];
  readonly secretId: string | null;
  readonly region: string | null;
  readonly stale: boolean;
  readonly credential: SlotCredential;
  readonly #chosen: ChosenSlot;
  readonly #context: SlotContext;
  #egress: SlotEgress | undefined;
  #held: HeldSlot | undefined;
  #client: unknown;

  constructor(chosen: ChosenSlot, context: SlotContext) {
    const { shown } = chosen;
    this.provider = shown.provider;
    this.slot = shown.slot;
    this.model = shown.model;
    this.voice = shown.voice;
    this.source = shown.source;
    this.reason = shown.reason;
    this.secretId = shown.secretId;
    this.region = shown.region;
    this.stale = shown.stale;
    this.credential = shown.credential;
    this.#chosen = chosen;
    this.#context = context;
  }

  get client(): unknown {
    this.#client ??= this.#chosen.provider.connect(this.#way(), this.#loaded());
    return this.#client;
  }

  get fetch(): typeof fetch {
    return this.#way().fetch;
  }

  get WebSocket(): SlotWebSocketClass {
    return this.#way().WebSocket;
  }

  get agent(): Agent {
    return this.#way().agent;
  }

  get placeholder(): string {
    return this.#way().placeholder;
  }

  get signal(): AbortSignal {
    return this.#hold().signal;
  }

  async renew(error?: unknown): Promise<ResolvedSlot> {
    const { serving, provider } = this.#chosen;
    const refusal = refusalOfError(provider.refusals, error);
    if (refusal !== undefined) {
      await this.#context.decisions.refusals.judge(this.#chosen, { serving, request: {}, refusal });
    }
    return await this.#context.renew(this.#chosen);
  }

  async connect(options?: ConnectOptions): Promise<unknown> {
    const { signal } = readOptions("connect()", options, connectRules);
    const { orgId, provider, slot, shown } = this.#chosen;
    if (slot !== "realtime" || provider.realtime === undefined) {
      throw new ByokError(
        "agent_invalid",
        `"${provider.id}" opens no realtime socket in the slot "${slot}". Use the slot's client.`,
        { orgId, provider: provider.id, slot },
      );
    }
    const session = { model: shown.model, ...(signal === undefined ? {} : { signal }) };
    return await provider.realtime(this.#way(), this.#loaded(), session);
  }

  #loaded(): unknown {
    const { bound, provider, orgId, slot } = this.#chosen;
    if (bound.sdk !== undefined) return bound.sdk.sdk;
    const message = `Slots of "${provider.id}" have no client, as "clients" says. Name it there, or use the slot's fetch, WebSocket or agent.`;
    throw new ByokError("options_invalid", message, { orgId, provider: provider.id, slot });
  }

  #way(): SlotEgress {
    this.#egress ??= this.#makeEgress();
    return this.#egress;
  }

  #hold(): HeldSlot {
    this.#held ??= new HeldSlot(this.#context.decisions, this.#chosen);
    return this.#held;
  }

  #makeEgress(): SlotEgress {
    const { decisions, ws, Egress } = this.#context;
    const { requestTimeoutMs, proxy } = decisions.settings;
    const supply = this.#hold();
    return new Egress({
      vendor: this.#chosen.provider,
      supply,
      placeholder: createPlaceholder(),
      requestTimeoutMs,
      ws,
      proxy,
    });
  }
}
