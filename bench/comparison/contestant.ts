/** A process that asks for the organisation's key, and that can remove it. */
export interface RaceWorker {
  /** Throws, or is never true, as long as its commands do not reach Redis. */
  isConnected(): Promise<boolean>;
  /** The key, or "nothing". */
  ask(): Promise<string | undefined>;
  /** Ends with what the library says of it. */
  remove(): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface Contestant {
  readonly name: string;
  /** Its workers subscribe to something in Redis that tells them of removals. */
  readonly isTold: boolean;
  /** A fresh database, and what starts workers on it that share a Redis or, without one, keep to themselves. */
  begin(): Promise<{ readonly database: { held: Promise<void> }; worker(redisUrl?: string): Promise<RaceWorker> }>;
}
