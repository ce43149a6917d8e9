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
  message(choice: number): boolean {
    const at = choice % Math.max(1, this.#onTheWay.length);
    const message = this.#onTheWay[at];
    if (message === undefined) return false;
    const fate = Math.floor(choice / 7) % 4;
    if (fate !== 0) this.#onTheWay.splice(at, 1);
    if (fate !== 1 && this.#subscribers.has(message.to)) message.to(message.notice);
    return true;
  }

  /** An attacker who can publish tells one subscriber of a change that there is not, or not yet. */
  forge(notice: ChangeNotice, choice: number): boolean {
    const to = [...this.#subscribers][choice % Math.max(1, this.#subscribers.size)];
    to?.(notice);
    return to !== undefined;
  }

  /** A failover to a replica that lags: some organisation's older value is back. */
  revive(choice: number): boolean {
    const [orgId, entries] = [...this.#past][choice % Math.max(1, this.#past.size)] ?? [];
    const entry = entries?.[Math.floor(choice / 5) % entries.length];
    if (orgId === undefined || entry === undefined) return false;
    this.#values.set(orgId, entry);
    return true;
  }

  /** A failover to a replica that lags by some entries of every organisation. */
  lag(choice: number): boolean {
    const by = 2 + (choice % 2);
    for (const [orgId, entries] of this.#past) {
      const entry = entries.at(-by);
      if (entry !== undefined) this.#values.set(orgId, entry);
    }
    return this.#past.size > 0;
  }

  /** Every notice arrives that is on its way. */
  deliverNotices(): void {
    for (const { to, notice } of this.#onTheWay.splice(0)) if (this.#subscribers.has(to)) to(notice);
  }

  /** Somebody who can write puts one organisation's value in another's place. */
  swap(choice: number): boolean {
    const orgIds = [...this.#values.keys()];
    const from = this.#values.get(orgIds[choice % Math.max(1, orgIds.length)] ?? "");
    const to = orgIds[(choice + 1) % Math.max(1, orgIds.length)];
    if (from === undefined || to === undefined) return false;
    this.#values.set(to, from);
    return true;
  }

  /** An attacker changes an entry: one byte of it, its end, or what it says of itself against a newer entry's words. */
  spoil(choice: number): boolean {
    const [orgId, entry] = [...this.#values][choice % Math.max(1, this.#values.size)] ?? [];
    if (orgId === undefined || entry === undefined) return false;
    const entries = this.#past.get(orgId) ?? [];
    const other = entries[Math.floor(choice / 9) % Math.max(1, entries.length)] ?? entry;
    const ways = [flip, cutOff, splice] as const;
    this.#values.set(orgId, (ways[Math.floor(choice / 3) % 3] ?? flip)(entry, other, choice));
    return true;
  }

  flush(): void {
    this.#values = new Map();
  }
}

function flip(entry: Uint8Array, _other: Uint8Array, choice: number): Uint8Array {
  const bytes = Uint8Array.from(entry);
  const at = choice % Math.max(1, bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (choice % 8));
  return bytes;
}

function cutOff(entry: Uint8Array, _other: Uint8Array, choice: number): Uint8Array {
  return entry.slice(0, choice % Math.max(1, entry.length));
}

/** One entry's head before the other's body. */
function splice(entry: Uint8Array, other: Uint8Array): Uint8Array {
  const headEnd = (of: Uint8Array): number => 2 + ((of[0] ?? 0) << 8) + (of[1] ?? 0);
  return Buffer.concat([other.subarray(0, headEnd(other)), entry.subarray(headEnd(entry))]);
}
