import { faultKinds, swarmOf } from "../model/swarm.ts";
import { knownStates } from "../model/watch-states.ts";
import { describeUnreached } from "./branches.ts";
import type { Counts } from "./counts.ts";
import type { Violation } from "./model-batch.ts";
import type { SearchState } from "./search-state.ts";
import { serverFaults, serverSwarmOf } from "./swarm-of-servers.ts";

const night = 8 * 3_600;
const number = (value: number): string => Math.round(value).toLocaleString("en");

/** One line of how far a search has come. */
export function describeProgress({ model, servers, violations }: SearchState): string {
  return [
    `model: ${number(model.schedules)} schedules, ${number(model.resolves)} resolves in ${number(model.seconds)} s`,
    `servers: ${number(servers.schedules)} schedules, ${number(servers.resolves)} resolves in ${number(servers.seconds)} s`,
    `${violations.length} violations`,
  ].join("; ");
}

/** Everything that a search has come to, as lines of text. */
export function describeSearch(state: SearchState): string[] {
  const { model, servers } = state;
  const lines = [describeProgress(state), ...describeRate(state)];
  if (model.schedules > 0) {
    const { reached, lines: all, places } = describeUnreached(state.unreached, "src/coherence/");
    const resolver = describeUnreached(state.unreached, "src/resolver/");
    lines.push(
      ...describeReached("states of the model", model.seen, knownStates),
      ...describeReached("faults of the model", model.faults, faultKinds),
      ...describeReached("pairs of faults of the model", model.pairs, pairsOf(faultKinds)),
      `lines that ran while branches were counted: ${reached} of ${all} of src/coherence, ${resolver.reached} of ${resolver.lines} of src/resolver`,
      `branches never reached: ${places.length} of src/coherence, ${resolver.places.length} of src/resolver`,
      ...[...places, ...resolver.places].map((place) => `  ${place}`),
    );
  }
  if (servers.schedules > 0) {
    const healed = [...servers.healedMs].sort((a, b) => a - b);
    lines.push(
      `served again after ${number(healed[healed.length >> 1] ?? 0)} ms (median), ${number(healed.at(-1) ?? 0)} ms at most`,
      `seen on servers: ${Object.keys(servers.seen).sort().join(", ")}`,
      ...describeReached("faults of servers", servers.faults, serverFaults),
      ...describeReached("pairs of faults of servers", servers.pairs, pairsOf(serverFaults)),
    );
  }
  return [...lines, ...state.violations.flatMap(describeViolation)];
}

/** What was violated, under which configuration, and the command that plays it again. */
export function describeViolation({ kind, seed, what }: Violation): string[] {
  const { seed: _seed, ...configuration } = kind === "model" ? swarmOf(seed) : serverSwarmOf(seed);
  return [
    `violation, ${kind}, seed ${seed}: ${what.join("; ")}`,
    `  configuration: ${JSON.stringify(configuration)}`,
    `  again: npm run search -- --replay ${kind}:${seed}`,
  ];
}

function describeRate({ model, servers }: SearchState): string[] {
  const seconds = model.seconds + servers.seconds;
  if (seconds === 0) return [];
  const rate = (model.resolves + servers.resolves) / seconds;
  return [`${number(rate)} resolves a second: ${number(rate * night)} in a night of eight hours`];
}

function describeReached(what: string, counts: Counts, known: readonly string[]): string[] {
  const missed = known.filter((name) => counts[name] === undefined);
  const line = `${what}: ${known.length - missed.length} of ${known.length} reached`;
  const named = missed.length > 40 ? [...missed.slice(0, 40), "…"] : missed;
  return [missed.length === 0 ? line : `${line}; never: ${named.join(", ")}`];
}

function pairsOf(faults: readonly string[]): string[] {
  const sorted = [...faults].sort();
  const pairs = sorted.flatMap((one, at) => sorted.slice(at + 1).map((other) => `${one} + ${other}`));
  return pairs.filter((pair) => pair !== "jump + suspend" && pair !== "jump + setBack");
}
