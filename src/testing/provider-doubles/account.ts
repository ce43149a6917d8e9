import { LRUCache } from "lru-cache";

const maxAccounts = 1_000;
const maxThings = 1_000;

export interface CustomVoice {
  readonly voice_id: string;
  readonly [name: string]: unknown;
}

/** What a double remembers of one account: the last thousand of each kind. */
export class Account {
  /** The ids of responses that were stored. */
  readonly responses: LRUCache<string, true> = new LRUCache({ max: maxThings });
  readonly voices: LRUCache<string, CustomVoice> = new LRUCache({ max: maxThings });
}

/** The accounts of one double. A key has one of its own, unless its grant names one. */
export class Accounts {
  readonly #accounts = new LRUCache<string, Account>({ max: maxAccounts });

  of(key: string, name: string | undefined): Account {
    const id = JSON.stringify(name === undefined ? { key } : { name });
    const account = this.#accounts.get(id) ?? new Account();
    this.#accounts.set(id, account);
    return account;
  }
}
