import { type Guard, guardsOf } from "./guard.ts";

/** Of databases that were put back, or written to beside byokit. */
export const guardsOfRestores: readonly Guard[] = [
  ...guardsOf("coherence/history.ts", "resolver/restored-database.test.ts", [
    [
      "what was lost",
      "|| this.hasUnconfirmed) this.#lose(page.head);",
      "|| this.hasUnconfirmed) void 0;",
      "an operator is told",
    ],
  ]),
  ...guardsOf("coherence/change-feed.ts", "resolver/restored-database.test.ts", [
    [
      "an event of what was lost",
      "if (lost !== undefined && lost !== lostBefore) onEvent",
      "if (false) onEvent",
      "an operator is told",
    ],
  ]),
  ...guardsOf("store/rows/contradiction.ts", "store/contradictions.test.ts", [
    ["keys that were taken away", "newest.secret_id IS NOT NULL AND", "false AND", "is contradicted"],
    ["keys that no trail has", "secret LEFT JOIN newest", "secret JOIN newest", "is contradicted"],
    ["a removal in the trail", "ORDER BY id DESC) AS turn", "ORDER BY id) AS turn", "is contradicted"],
  ]),
];
