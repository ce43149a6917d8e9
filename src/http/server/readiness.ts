import { systemClock } from "../../clock.ts";
import { within } from "../../deadline.ts";

/** How long an answer of the check is believed, in milliseconds: anybody may ask, and each check is a statement. */
const keepMs = 1_000;
/** The longest that anybody waits for one, in milliseconds. */
const limitMs = 2_000;

/** Checks that the service can answer. One check is under way at a time, however many ask. */
export class Readiness {
  readonly #check: () => unknown;
  #isDraining = false;
  #isUnderWay = false;
  #checking: Promise<boolean> = Promise.resolve(false);
  #checkedAtMs = Number.NEGATIVE_INFINITY;

  constructor(check: () => unknown) {
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
      this.#checking = this.#runCheck();
    }
    const expire = (): Error => new Error("The check does not answer.");
    try {
      return await within(systemClock, limitMs, this.#checking, expire);
    } catch {
      return false;
    }
  }

  async #runCheck(): Promise<boolean> {
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
