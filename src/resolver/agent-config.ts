import { z } from "zod";
import { ByokError } from "../errors.ts";
import { copyOwn, isRecord } from "../own-property.ts";
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

const slotConfig = z.object({
  provider: z.string().min(1).max(64),
  model: z.string().max(512).nullish(),
  voice: z.string().max(512).nullish(),
});

const agentConfig = z.object({
  llm_config: slotConfig.nullish(),
  stt_config: slotConfig.nullish(),
  tts_config: slotConfig.nullish(),
  realtime_config: slotConfig.nullish(),
});

/**
 * The slots that an agent names, in the order llm, stt, tts, realtime.
 *
 * @throws ByokError `agent_invalid` when it names none or is not of the documented shape. The message says which field,
 * never what it holds.
 */
export function parseSlots(orgId: string, agent: AgentConfig): readonly NamedSlot[] {
  const parsed = agentConfig.safeParse(readAgent(agent));
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "the agent").join(", ");
    throw new ByokError(
      "agent_invalid",
      `The agent's config is not valid at: ${fields}. Correct the agent; see AgentConfig for its shape.`,
      { orgId },
    );
  }
  const named: NamedSlot[] = [];
  for (const slot of slots) {
    const config = slot === "email" ? undefined : copyOwn(parsed.data[`${slot}_config`]);
    if (config == null) continue;
    named.push({ slot, provider: config.provider, model: config.model || undefined, voice: config.voice || undefined });
  }
  if (named.length > 0) return named;
  throw new ByokError(
    "agent_invalid",
    "The agent names no slot. Give it at least one of llm_config, stt_config, tts_config and realtime_config.",
    { orgId },
  );
}

/** What an agent says itself: no slot, model or voice is inherited. */
function readAgent(agent: unknown): unknown {
  if (!isRecord(agent)) return agent;
  const own = copyOwn(agent);
  return Object.assign(Object.create(null), {
    llm_config: copyOwn(own["llm_config"]),
    stt_config: copyOwn(own["stt_config"]),
    tts_config: copyOwn(own["tts_config"]),
    realtime_config: copyOwn(own["realtime_config"]),
  });
}
