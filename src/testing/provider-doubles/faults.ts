import { checkFault, type Fault, type Happening } from "./fault.ts";

/** A request whose key was accepted, as faults choose among them. */
export interface Arrival {
  readonly kind: "http" | "websocket";
  readonly path: string;
  readonly shown: string | null;
}

/** A fault that was asked for, and how far it is. */
class ActiveFault {
  readonly fault: Fault & Happening;
  readonly #isOfSockets: boolean;
  #met = 0;

  constructor(fault: Fault) {
    checkFault(fault);
    this.fault = fault;
    this.#isOfSockets = "frame" in fault || "openRefusal" in fault;
  }

  /** Counts a request that it is for. Returns `true` if that is to fail. */
  takes({ kind, path, shown }: Arrival): boolean {
    const { path: wanted, key, after = 0, times = Number.POSITIVE_INFINITY, paceMs } = this.fault;
    const isFor = (wanted === undefined || wanted.test(path)) && (key === undefined || key === shown);
    const isOfOtherKind = kind === "http" ? this.#isOfSockets : paceMs !== undefined;
    if (!isFor || isOfOtherKind) return false;
    this.#met += 1;
    return this.#met > after && this.#met <= after + times;
  }
}

/** The faults of one double, oldest first. A request counts with every one, and meets the first that takes it. */
export class Faults {
  readonly #active = new Set<ActiveFault>();

  add(fault: Fault): ActiveFault {
    const active = new ActiveFault(fault);
    this.#active.add(active);
    return active;
  }

  end(active: ActiveFault): void {
    this.#active.delete(active);
  }

  meet(arrival: Arrival): Happening | undefined {
    return [...this.#active].filter((active) => active.takes(arrival))[0]?.fault;
  }
}
