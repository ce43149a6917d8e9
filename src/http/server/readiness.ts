/** How long an answer of the check is believed, in milliseconds: anybody may ask, and each check is a statement. */
const keepMs = 1_000;
/** The longest that anybody waits for one, in milliseconds. */
const limitMs = 2_000;

/** Says whether the service can answer. One check is under way at a time, however many ask. */
export class Readiness {
  readonly #check: () => Promise<unknown>;
  #isDraining = false;
  #isUnderWay = false;
  #checking: Promise<boolean> = Promise.resolve(false);
  #checkedAtMs = Number.NEGATIVE_INFINITY;

  constructor(check: () => Promise<unknown>) {
    this.#check = check;
  }

  /** From now on it is not ready: a balancer sends its requests elsewhere. */
  drain(): void {
    this.#isDraining = true;
  }

  async isReady(): Promise<boolean> {
    if (this.#isDraining) return false;
    const nowMs = performance.now();
    if (!this.#isUnderWay && nowMs - this.#checkedAtMs >= keepMs) {
      this.#checkedAtMs = nowMs;
      this.#checking = this.#checked();
    }
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), limitMs);
    try {
      return await Promise.race([this.#checking, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #checked(): Promise<boolean> {
    this.#isUnderWay = true;
    try {
      await this.#check();
      return true;
    } catch {
      return false;
    } finally {
      this.#isUnderWay = false;
    }
  }
}
