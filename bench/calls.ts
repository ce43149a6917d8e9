import pg from "pg";
import {
  builtinProviders,
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyStore,
} from "../src/index.ts";
import { postgresStore } from "../src/store/postgres/postgres-store.ts";
import { startProviderDoubles } from "../src/testing/index.ts";
import type { Call, Way } from "../test/calls/way.ts";
import { ways } from "../test/calls/ways.ts";
import { postgresServer } from "../test/servers/postgres-server.ts";
import { recordFigures } from "./record.ts";

const warmUps = 20;
const rotations = 300;

/** From the question until the first of the answer is heard, in milliseconds. */
async function listen(call: Call): Promise<number> {
  const askedAtMs = performance.now();
  let firstAtMs: number | undefined;
  await call.turn(async () => {
    firstAtMs = performance.now();
  });
  return (firstAtMs ?? performance.now()) - askedAtMs;
}

/** In tenths of a millisecond. */
const percentile = (values: readonly number[], share: number): number =>
  Number(values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)]?.toFixed(1));

/** Every other turn of one call is the first one after a hard rotation that its worker has not learned of. */
async function rotate(way: Way, store: KeyStore): Promise<Record<string, string | number>> {
  const { provider, name } = way;
  const keyOf = (rotation: number): string => `key-of-rotation-${rotation}-0123456789`;
  await using doubles = await startProviderDoubles({ keys: { [provider]: [keyOf(0)] } });
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, verify: "off" });
  const { endpoints } = doubles;
  await manager.set(name, { provider, apiKey: keyOf(0) });
  await using resolver = createResolver({
    store,
    keyring,
    endpoints,
    providers: builtinProviders,
    clients: [provider],
  });
  await resolver.ready();
  const call = await way.begin(resolver, name);
  const usual: number[] = [];
  const rotated: number[] = [];
  for (let rotation = 1; rotation <= warmUps + rotations; rotation += 1) {
    const usualMs = await listen(call);
    doubles.accept(provider, keyOf(rotation));
    await manager.set(name, { provider, apiKey: keyOf(rotation) });
    doubles.revoke(provider, keyOf(rotation - 1));
    doubles.fail({ provider, cutAfter: 0, key: keyOf(rotation - 1) })();
    await call.hungUp;
    const rotatedMs = await listen(call);
    if (rotation <= warmUps) continue;
    usual.push(usualMs);
    rotated.push(rotatedMs);
  }
  call.end();
  const gaps = rotated.map((ms, at) => ms - (usual[at] ?? 0));
  return {
    way: name,
    "usual p50 ms": percentile(usual, 0.5),
    "usual p99 ms": percentile(usual, 0.99),
    "rotated p50 ms": percentile(rotated, 0.5),
    "rotated p99 ms": percentile(rotated, 0.99),
    "gap p50 ms": percentile(gaps, 0.5),
    "gap p99 ms": percentile(gaps, 0.99),
  };
}

const server = await postgresServer();
const pool = new pg.Pool({ connectionString: server.url, max: 3 });
const store = postgresStore({ pool });
await store.migrate();
const rows: Awaited<ReturnType<typeof rotate>>[] = [];
for (const way of ways) rows.push(await rotate(way, store));
await recordFigures("calls", rows);
await store.close();
await pool.end();
await server.stop();
