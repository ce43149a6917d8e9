/** A worker that holds many calls while their keys change, ends, and tells what is left. It has to exit by itself then. */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import pg from "pg";
import {
  type BuiltinProvider,
  byokErrorOf,
  createKeyManager,
  createKeyring,
  createResolver,
  type EndpointOption,
  generateKeyring,
  memoryStore,
} from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { Way } from "./way.ts";
import { ways } from "./ways.ts";

export interface SoakOptions {
  readonly endpoints: Readonly<Record<string, EndpointOption>>;
  /** How many calls are held at any time. */
  readonly calls: number;
  /** The ways of using vendors, by name. */
  readonly ways: readonly string[];
  readonly clients: readonly BuiltinProvider["id"][];
  readonly forMs: number;
  /** Between two turns of a call. */
  readonly pauseMs: number;
  /** Keys that the providers take, and one that they refuse. */
  readonly keys: readonly string[];
  readonly refusedKey: string;
  readonly platformKey: string;
  readonly requestTimeoutMs: number;
  /** Postgres in place of memory. */
  readonly databaseUrl?: string;
  /** Whether the resolver is closed while calls are under way. */
  readonly closesFirst?: boolean;
}

export interface SoakReport {
  readonly turns: number;
  /** How many turns failed, by byokit's code, or else by what was thrown. */
  readonly failed: Readonly<Record<string, number>>;
  readonly unhandled: readonly string[];
  /** Bytes after a collection, in the middle and at the end, with as many calls under way. */
  readonly heap: readonly [number, number];
  /** What keeps the process alive after the end. */
  readonly left: readonly string[];
}

const options = JSON.parse(process.argv[2] ?? "") as SoakOptions;
const unhandled: string[] = [];
for (const event of ["unhandledRejection", "uncaughtException"])
  process.on(event, (error: unknown) => unhandled.push(String((error as Error | undefined)?.stack ?? error)));

const pool =
  options.databaseUrl === undefined
    ? undefined
    : new pg.Pool({ connectionString: options.databaseUrl, connectionTimeoutMillis: 3_000 });
const store = pool === undefined ? memoryStore() : postgresStore({ pool });
await store.migrate();
const keyring = createKeyring(generateKeyring());
const manager = createKeyManager({ store, keyring, verify: "off" });
const used = ways.filter(({ name }) => options.ways.includes(name));
const providers = [...new Set(used.map(({ provider }) => provider))];
const resolver = createResolver({
  store,
  keyring,
  endpoints: options.endpoints,
  clients: options.clients,
  platformKeys: Object.fromEntries(providers.map((provider) => [provider, options.platformKey])),
  requestTimeoutMs: options.requestTimeoutMs,
  pollMs: 250,
  leaseMs: 5_000,
});
await resolver.ready();

let isOver = false;
let turns = 0;
const failed: Record<string, number> = {};

const count = (error: unknown): void => {
  const name = byokErrorOf(error)?.code ?? String((error as Error | undefined)?.name ?? error);
  failed[name] = (failed[name] ?? 0) + 1;
};

/** Each call has had a turn, about. */
const countTurn = (): void => {
  turns += 1;
  if (turns === options.calls) process.stdout.write("begun\n");
};

const wayOf = (number: number): Way => used[number % used.length] as Way;

/** One call after the other, of ten turns each. */
async function holdCalls(number: number): Promise<void> {
  const way = wayOf(number);
  while (!isOver) {
    try {
      const call = await way.begin(resolver, `org-${number}`);
      for (let turn = 0; turn < 10 && !isOver; turn += 1) {
        await call.turn().then(countTurn, count);
        await delay(options.pauseMs);
      }
      call.end();
      await call.hungUp;
    } catch (error) {
      count(error);
    }
    await delay(options.pauseMs);
  }
}

/** Replaces keys, softly and by a refused one, and removes them. */
async function changeKeys(): Promise<void> {
  const next = [...options.keys, options.refusedKey, undefined, ...options.keys];
  for (let at = 0; !isOver; at += 1) {
    const number = at % options.calls;
    const { provider } = wayOf(number);
    const apiKey = next[(number + Math.floor(at / options.calls)) % next.length];
    const change =
      apiKey === undefined
        ? manager.remove(`org-${number}`, { provider })
        : manager.set(`org-${number}`, { provider, apiKey });
    await change.catch(count);
    await delay(2);
  }
}

async function collectedHeap(): Promise<number> {
  for (let pass = 0; pass < 3; pass += 1) {
    globalThis.gc?.();
    await nextTurn();
  }
  return process.memoryUsage().heapUsed;
}

for (let number = 0; number < options.calls; number += 1) {
  await manager.set(`org-${number}`, { provider: wayOf(number).provider, apiKey: options.keys[0] ?? "" });
}
const running = [changeKeys(), ...Array.from({ length: options.calls }, (_, number) => holdCalls(number))];
await delay(options.forMs / 2);
const middle = await collectedHeap();
await delay(options.forMs / 2);
const end = await collectedHeap();
isOver = true;
if (options.closesFirst) await resolver.close();
await Promise.all(running);
await resolver.close();
await store.close();
await pool?.end();

/** Standard output is no matter of the worker's. */
const leftOver = (): string[] =>
  process.getActiveResourcesInfo().filter((name) => !/^(?:PipeWrap|TTYWrap)$/u.test(name));
// What is being closed needs a moment.
for (let pass = 0; pass < 200 && leftOver().length > 0; pass += 1) await delay(10);
const report: SoakReport = { turns, failed, unhandled, heap: [middle, end], left: leftOver() };
process.stdout.write(`${JSON.stringify(report)}\n`);
