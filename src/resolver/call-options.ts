import { abortSignal, positiveMilliseconds, text, whole } from "../option-kinds.ts";
import { type OptionRules, readOptions } from "../read-options.ts";
import type { ClientOptions, ResolveOptions } from "./resolver.ts";

const resolveRules: OptionRules<ResolveOptions> = {
  signal: abortSignal,
  deadlineMs: positiveMilliseconds,
  atLeast: whole,
};
const clientRules: OptionRules<ClientOptions> = { ...resolveRules, slot: text };

/** At hand, because most calls name no option. */
const none: ClientOptions = Object.create(null);

/** @throws ByokError `options_invalid` */
export function readResolveOptions(given: ResolveOptions | undefined): ResolveOptions {
  return given === undefined ? none : readOptions("resolve()", given, resolveRules);
}

/** @throws ByokError `options_invalid` */
export function readClientOptions(given: ClientOptions | undefined): ClientOptions {
  return given === undefined ? none : readOptions("client()", given, clientRules);
}
