import {
  type KeySupply,
  type SentRequest,
  type ServingKey,
  servesStill,
} from "../../src/providers/egress/key-supply.ts";

/** Says what a test says that it says. */
export interface ChangingSupply extends KeySupply {
  /** `undefined`: something must be read first, which says `read`. */
  now: ServingKey | Error | undefined;
  read: ServingKey | Error | undefined;
  readonly requests: SentRequest[];
}

export function changingSupply(first: ServingKey): ChangingSupply {
  const supply: ChangingSupply = {
    orgId: "org",
    slot: "llm",
    now: first,
    read: undefined,
    requests: [],
    peek: () => (supply.now === undefined ? undefined : given(supply.now)),
    mayLeave: (serving) => servesStill(supply, serving),
    decide: async () => given(supply.read ?? supply.now),
    holdSocket: () => () => {},
    onRequest: (request) => supply.requests.push(request),
  };
  return supply;
}

function given(said: ServingKey | Error | undefined): ServingKey {
  if (said === undefined || said instanceof Error) throw said ?? new Error("The test says nothing.");
  return said;
}
