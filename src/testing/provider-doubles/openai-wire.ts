import { randomUUID } from "node:crypto";
import { wordsIn } from "./audio-format.ts";
import type { Refusal } from "./double.ts";

type Json = Readonly<Record<string, unknown>>;

interface RefusalDetails {
  readonly type?: string;
  readonly param?: string | null;
}

export const openaiRefusal = (
  status: number,
  message: string,
  code: string | null,
  { type = "invalid_request_error", param = null }: RefusalDetails = {},
): Refusal => ({ status, body: { error: { message, type, param, code } } });

export const newId = (prefix: string): string => `${prefix}_${randomUUID().replaceAll("-", "")}`;

export const serverEvent = (data: unknown, event?: string): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

/** The text of a message's content: a string, or the parts that have one. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: Json) => String(part["text"] ?? "")).join("");
}

export const pieces = (text: string): readonly string[] => text.split(/(?<= )/u);

/** One token a word. */
export const tokensOf = (text: string): number => wordsIn(text).length;

export interface Turn {
  readonly text: string;
  /** Whether it is the user who spoke, and not a tool. */
  readonly isUser: boolean;
}

/** What a double answers a turn: the text, or a call of a tool. */
export type Reply =
  | { readonly text: string; readonly tool?: never }
  | {
      readonly text?: never;
      readonly tool: { readonly id: string; readonly name: string; readonly arguments: string };
    };

/**
 * A tool is called where one has to be, and where the user's words name it; its arguments are made up from its schema.
 * Anything else is answered with the words that were said.
 */
export function replyTo({ text, isUser }: Turn, tools: unknown, choice: unknown): Reply {
  const offered = (Array.isArray(tools) ? tools : []).map((tool: Json) => (tool["function"] ?? tool) as Json);
  const wanted = (choice ?? "auto") as string | Json;
  const chosen = typeof wanted === "string" ? undefined : ((wanted["function"] ?? wanted) as Json)["name"];
  const isNamed = ({ name }: Json): boolean =>
    isUser && text.toLowerCase().replaceAll("_", " ").includes(String(name).toLowerCase().replaceAll("_", " "));
  const called =
    offered.find(({ name }) => name === chosen) ??
    (wanted === "none" ? undefined : offered.find(isNamed)) ??
    (wanted === "required" ? offered[0] : undefined);
  if (called === undefined) return { text: `You said: ${text || "nothing"}` };
  const args = JSON.stringify(madeUp((called["parameters"] ?? {}) as Json));
  return { tool: { id: newId("call"), name: String(called["name"]), arguments: args } };
}

/** The least that a schema asks for. */
function madeUp(schema: Json): unknown {
  const { type, enum: allowed, properties = {}, required = [] } = schema;
  if (Array.isArray(allowed)) return allowed[0];
  if (type === "string") return "double";
  if (type === "number" || type === "integer") return 1;
  if (type === "boolean") return true;
  if (type === "array") return [];
  const names = required as readonly string[];
  return Object.fromEntries(names.map((name) => [name, madeUp(((properties as Json)[name] ?? {}) as Json)]));
}
