import type { ChangeNotice } from "../../src/shared-cache/key-cache.ts";

/** A cache that brings old values back, mixes them up and loses, repeats and reorders its messages. */
export class ModelRedis {
  #values = new Map<string, Uint8Array>();
  /** Every value that there was, per organisation. */
  readonly #past = new Map<string, Uint8Array[]>();
  readonly #subscribers = new Set<(notice: ChangeNotice) => void>();
  readonly #onTheWay: { readonly to: (notice: ChangeNotice) => void; readonly notice: ChangeNotice }[] = [];

  get(orgId: string): Uint8Array | undefined {
    return this.#values.get(orgId);
  }

  set(orgId: string, entry: Uint8Array): void {
    this.#values.set(orgId, entry);
    this.#past.set(orgId, [...(this.#past.get(orgId) ?? []), entry]);
  }

  invalidate(notice: ChangeNotice): void {
    if (notice.orgId !== null) this.#values.delete(notice.orgId);
    for (const to of this.#subscribers) this.#onTheWay.push({ to, notice });
  }

  subscribe(onNotice: (notice: ChangeNotice) => void): () => void {
    this.#subscribers.add(onNotice);
    return () => this.#subscribers.delete(onNotice);
  }

  /** Delivers a message out of turn, loses it, or delivers it and keeps it. */
  message(choice: number): void {
    const at = choice % Math.max(1, this.#onTheWay.length);
    const message = this.#onTheWay[at];
    if (message === undefined) return;
    const fate = Math.floor(choice / 7) % 4;
    if (fate !== 0) this.#onTheWay.splice(at, 1);
    if (fate !== 1 && this.#subscribers.has(message.to)) message.to(message.notice);
  }

  /** A failover to a replica that lags: some organisation's older value is back. */
  revive(choice: number): void {
    const [orgId, entries] = [...this.#past][choice % Math.max(1, this.#past.size)] ?? [];
    const entry = entries?.[Math.floor(choice / 5) % entries.length];
    if (orgId !== undefined && entry !== undefined) this.#values.set(orgId, entry);
  }

  /** Somebody who can write puts one organisation's value in another's place. */
  swap(choice: number): void {
    const orgIds = [...this.#values.keys()];
    const from = this.#values.get(orgIds[choice % Math.max(1, orgIds.length)] ?? "");
    const to = orgIds[(choice + 1) % Math.max(1, orgIds.length)];
    if (from !== undefined && to !== undefined) this.#values.set(to, from);
  }

  flush(): void {
    this.#values = new Map();
  }
}
