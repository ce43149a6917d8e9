import {
  type KeySupply,
  type RefusedKey,
  type SentRequest,
  type ServingKey,
  servesStill,
} from "../../src/providers/egress/key-supply.ts";

export interface SwitchedSupply extends KeySupply {
  /** What serves, or why nothing does. */
  now: ServingKey | Error;
  /** Whether something must be read before it is known; `decide` reads it. */
  isUnread: boolean;
  readonly sent: SentRequest[];
  /** Closes each open socket. */
  readonly open: Set<(why: Error) => void>;
}

/** A supply that a test switches: to another key, to another host, to none. */
export function switchedSupply(first: ServingKey): SwitchedSupply {
  const answer = (): ServingKey => {
    if (supply.now instanceof Error) throw supply.now;
    return supply.now;
  };
  const supply: SwitchedSupply = {
    orgId: "org",
    slot: "stt",
    now: first,
    isUnread: false,
    sent: [],
    open: new Set(),
    peek: () => (supply.isUnread ? undefined : answer()),
    decide: async () => {
      supply.isUnread = false;
      return answer();
    },
    mayLeave: (serving) => servesStill(supply, serving),
    holdSocket: (_serving, close) => {
      supply.open.add(close);
      return () => supply.open.delete(close);
    },
    onRequest: (request) => supply.sent.push(request),
  };
  return supply;
}

/** What a supply was told of keys, in its order. */
export interface ToldOfKeys {
  readonly refused: RefusedKey[];
  readonly taken: ServingKey[];
}

/** Makes `supply` hear of refusals: `replace` says what serves after one. */
export function hearRefusals(
  supply: SwitchedSupply,
  replace: (refused: RefusedKey, signal?: AbortSignal | null) => Promise<ServingKey | Error>,
): ToldOfKeys {
  const told: ToldOfKeys = { refused: [], taken: [] };
  supply.replace = async (refused, signal) => {
    told.refused.push(refused);
    supply.now = await replace(refused, signal);
    return supply.peek() as ServingKey;
  };
  supply.onRefusal = async (refused) => void told.refused.push(refused);
  supply.onTaken = (serving) => void told.taken.push(serving);
  return told;
}
