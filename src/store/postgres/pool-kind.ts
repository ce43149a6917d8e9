import { type OptionKind, withMethods } from "../../option-kinds.ts";

/** Methods of clients that connect as a pool does, and are none: of `pg`, one that was checked out, of Redis, a socket. */
const methodsOfOthers = ["getTypeParser", "release", "duplicate", "sendCommand", "setNoDelay"] as const;

const connecting = withMethods("", ["connect"]);
const others = methodsOfOthers.map((method) => withMethods("", [method]));

/** One client alone would serve every call, each inside another's transaction. */
export const poolKind: OptionKind = {
  form: "a pool of pg: new pg.Pool({ connectionString })",
  fits: (value) => connecting.fits(value) && !others.some((other) => other.fits(value)),
};
