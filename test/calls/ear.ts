/** What one socket tells, in its order. */
export class Ear<M> {
  readonly #told: M[] = [];
  #listening: (() => void) | undefined;
  #why: unknown;
  #isOver = false;
  readonly #over = Promise.withResolvers<void>();

  tell(message: M): void {
    this.#told.push(message);
    this.#listening?.();
  }

  /** Nothing more comes. The first reason counts. */
  end(why: unknown): void {
    this.#why ??= why;
    this.#isOver = true;
    this.#over.resolve();
    this.#listening?.();
  }

  /** Why it will end, where that is told before it does. */
  blame(why: unknown): void {
    this.#why ??= why;
  }

  /** Does what asks for more; where the socket is closed by then, rejects with the reason of that. */
  ask(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw this.#why ?? error;
    }
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** The next message that is of this kind; those before it are dropped. Rejects once nothing more comes. */
  async hear(isIt: (message: M) => boolean): Promise<M> {
    for (;;) {
      for (let message = this.#told.shift(); message !== undefined; message = this.#told.shift()) {
        if (isIt(message)) return message;
      }
      if (this.#isOver) throw this.#why;
      await new Promise<void>((resolve) => {
        this.#listening = resolve;
      });
    }
  }
}
