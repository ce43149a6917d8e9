import { type OptionKind, withMethods } from "../option-kinds.ts";

/** The JSON of a keyring is none: it opens nothing. */
export const keyringKind: OptionKind = withMethods("a keyring, as of createKeyring(json)", ["seal", "open"]);
