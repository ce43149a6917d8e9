/** How long an answer of the check is believed, in milliseconds: anybody may ask, and each check is a statement. */
const keepMs = 1_000;

/** Says whether the service can answer. One check is under way at a time. */
export class Readiness {
  readonly #check: () => Promise<unknown>;
  #isDraining = false;
  #checking: Promise<boolean> | undefined;
  #checkedAtMs = Number.NEGATIVE_INFINITY;

  constructor(check: () => Promise<unknown>) {
    this.#check = check;
  }

  /** From now on it is not ready: a balancer sends its requests elsewhere. */
  drain(): void {
    this.#isDraining = true;
  }

  async response(): Promise<Response> {
    const isReady = !this.#isDraining && (await this.#isReady());
    return Response.json({ status: isReady ? "ready" : "not ready" }, { status: isReady ? 200 : 503 });
  }

  #isReady(): Promise<boolean> {
    const nowMs = performance.now();
    if (this.#checking === undefined || nowMs - this.#checkedAtMs >= keepMs) {
      this.#checkedAtMs = nowMs;
      this.#checking = this.#check().then(
        () => true,
        () => false,
      );
    }
    return this.#checking;
  }
}
