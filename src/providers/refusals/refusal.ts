/** What a provider answered, taken apart. `body` is `undefined` where it is not JSON; `status` is `null` for a websocket's frame, and for the reason of its end. */
export interface ProviderAnswer {
  readonly status: number | null;
  readonly body: unknown;
  readonly text: string;
}

/**
 * What a refusal is about: the key (`rejected`), the key's region (`region`), what the account may spend (`exhausted`),
 * what key or account may do (`restricted`), what was asked for rather than the key (`request`), the moment (`busy`).
 */
export type RefusalKind = "rejected" | "region" | "exhausted" | "restricted" | "request" | "busy";

/** Why, as one word of byokit's own. `refused`: the provider said so in words that byokit does not know. */
export type RefusalReason =
  | "wrong_key"
  | "blocked"
  | "account_closed"
  | "account_restricted"
  | "wrong_region"
  | "wrong_account"
  | "no_quota"
  | "unpaid"
  | "missing_scope"
  | "ip_not_allowed"
  | "country_not_supported"
  | "request_refused"
  | "refused"
  | "rate_limited";

export interface Refusal {
  readonly kind: RefusalKind;
  readonly reason: RefusalReason;
  /** The region that the provider named, in its own spelling. */
  readonly region?: string;
}

/** A provider's own words: the codes that programs read, the sentence that people read. */
export interface ProviderWords {
  readonly codes: readonly string[];
  readonly sentence: string;
}

/**
 * One thing that a vendor says. The codes are matched whole. Sentences may echo a key, so that a pattern asks for
 * something that no key has: a blank between its words.
 */
export interface KnownWords {
  readonly codes?: readonly string[];
  readonly sentence?: RegExp;
  readonly kind: RefusalKind;
  readonly reason: RefusalReason;
}

/** A vendor's refusals. The first row that fits holds, so that what is special stands above what is general. */
export interface RefusalTable {
  /** The words of an answer in the vendor's own shape, whichever of its formats; `undefined` for anybody else's answer. */
  read(answer: ProviderAnswer): ProviderWords | undefined;
  readonly known: readonly KnownWords[];
  /** The region that a sentence names. */
  readonly region?: RegExp;
}

export function toProviderAnswer(status: number | null, text: string): ProviderAnswer {
  try {
    return { status, body: JSON.parse(text), text };
  } catch {
    return { status, body: undefined, text };
  }
}

/** What an answer refuses, by a vendor's table; `undefined` where it is no refusal of the vendor's, or says nothing. */
export function classifyRefusal(table: RefusalTable, answer: ProviderAnswer): Refusal | undefined {
  const { status } = answer;
  if (status !== null && (status < 400 || status >= 500)) return undefined;
  const words = table.read(answer) ?? readReason(answer);
  if (words === undefined) return undefined;
  const row = table.known.find((one) => fits(one, words));
  if (row === undefined) return judgeByStatus(status);
  const { kind, reason } = row;
  const region = kind === "region" ? table.region?.exec(words.sentence)?.[1] : undefined;
  return { kind, reason, ...(region === undefined ? {} : { region }) };
}

/** Why a socket ends: a word or a sentence, in no shape of the vendor's. */
function readReason({ status, body, text }: ProviderAnswer): ProviderWords | undefined {
  return status === null && body === undefined && text !== "" ? { codes: [text], sentence: text } : undefined;
}

function fits({ codes = [], sentence }: KnownWords, words: ProviderWords): boolean {
  return codes.some((code) => words.codes.includes(code)) || (sentence?.test(words.sentence) ?? false);
}

/** Words that no row knows are a refusal still: the status is a word of the provider's too. */
export function judgeByStatus(status: number | null): Refusal | undefined {
  if (status === 401) return { kind: "rejected", reason: "refused" };
  if (status === 402) return { kind: "exhausted", reason: "unpaid" };
  if (status === 403) return { kind: "restricted", reason: "refused" };
  return status === 429 ? { kind: "busy", reason: "rate_limited" } : undefined;
}
