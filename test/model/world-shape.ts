import type { Delays } from "./network.ts";

/** How large a world is, and what its processes are told. */
export interface WorldShape {
  readonly workers: number;
  readonly organisations: number;
  /** The most organisations that a worker holds in memory. */
  readonly maxOrgs: number;
  /** The most log rows in a page. */
  readonly pageRows: number;
  /** Which servers are slower than others, and how much. */
  readonly delays: Delays;
  readonly leaseMs: number;
  readonly serveStaleMs: number;
  readonly absentStaleMs: number;
  /** Of the workers, in the order of their starts. */
  readonly callStaleMs: readonly number[];
  /** Whether any worker is given a shared cache. */
  readonly hasCache: boolean;
  /** The longest that an entry of the shared cache lives. */
  readonly entryMs: number;
  /** Whether a key service answers over the network from the beginning. */
  readonly isKeyringRemote: boolean;
  /** Whether callers have signals, and calls watch those of their slots. */
  readonly hasSignals: boolean;
  /** Whether half of the calls that need no options pass none, and so may be served from what is at hand. */
  readonly hasBareCalls: boolean;
}

/** The world of `npm test`. Its workers have fewer fences than there are organisations. */
export const ordinaryShape: WorldShape = {
  workers: 2,
  organisations: 3,
  maxOrgs: 1,
  pageRows: 3,
  delays: {},
  leaseMs: 10_000,
  serveStaleMs: 0,
  absentStaleMs: 20_000,
  callStaleMs: [15_000, 0],
  hasCache: true,
  entryMs: 20_000,
  isKeyringRemote: false,
  hasSignals: false,
  hasBareCalls: false,
};
