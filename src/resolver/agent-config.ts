import { ByokError } from "../errors.ts";
import { isRecord, ownProperty } from "../own-property.ts";
import { type Slot, slots } from "../slot.ts";
import type { AgentConfig } from "./resolver.ts";

/** A slot that an agent names. */
export interface NamedSlot {
  readonly slot: Slot;
  readonly provider: string;
  /** Absent in the agent, `null` or empty: the catalogue's default is meant. */
  readonly model: string | undefined;
  readonly voice: string | undefined;
}

/** The most characters of a provider's id, and of a model or a voice. */
const maxIdLength = 64;
const maxNameLength = 512;

/**
 * An agent as it comes from a database: the value of a JSON column, or its text. What it has beside its slots passes.
 *
 * @throws ByokError `agent_invalid` when it is not of the documented shape, or names no slot.
 */
export function parseAgent(value: unknown): AgentConfig {
  const agent = typeof value === "string" ? parseText(value) : value;
  parseSlots(undefined, agent);
  return agent as AgentConfig;
}

/**
 * The slots that an agent names, in the order llm, stt, tts, realtime. Nothing is inherited: no slot, model or voice.
 *
 * @throws ByokError `agent_invalid` when it names none or is not of the documented shape. The message says which field,
 * never what it holds.
 */
export function parseSlots(orgId: string | undefined, agent: unknown): readonly NamedSlot[] {
  const wrong: string[] = isRecord(agent) ? [] : ["the agent"];
  const named: NamedSlot[] = [];
  for (const slot of slots) {
    const field = `${slot}_config`;
    const config = isRecord(agent) && slot !== "email" ? ownProperty(agent, field) : undefined;
    if (config === undefined || config === null) continue;
    if (isRecord(config)) named.push(readSlot(slot, config, (name) => wrong.push(`${field}.${name}`)));
    else wrong.push(field);
  }
  if (wrong.length > 0) {
    const message = `The agent's config is not valid at: ${wrong.join(", ")}. Correct the agent; see AgentConfig for its shape.`;
    throw new ByokError("agent_invalid", message, { orgId });
  }
  if (named.length > 0) return named;
  const message =
    "The agent names no slot. Give it at least one of llm_config, stt_config, tts_config and realtime_config.";
  throw new ByokError("agent_invalid", message, { orgId });
}

function readSlot(slot: Slot, config: Readonly<Record<string, unknown>>, refuse: (field: string) => void): NamedSlot {
  const provider = ownProperty(config, "provider");
  if (!isText(provider, maxIdLength) || provider === "") refuse("provider");
  const readName = (field: "model" | "voice"): string | undefined => {
    const name = ownProperty(config, field) ?? "";
    if (!isText(name, maxNameLength)) refuse(field);
    return String(name) || undefined;
  };
  return { slot, provider: String(provider), model: readName("model"), voice: readName("voice") };
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length <= maxLength;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const message = "The agent is a string that is not JSON. Pass the value of its JSON column, or the column's text.";
    throw new ByokError("agent_invalid", message);
  }
}
