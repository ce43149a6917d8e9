import { equal, ok, rejects } from "node:assert/strict";
import { inspect } from "node:util";
import { ByokError } from "../errors.ts";
import type { CanaryStep } from "../providers/canary/canary.ts";
import { runCanary } from "../providers/canary/canary-run.ts";
import type { Provider } from "../providers/provider.ts";
import type { Slot } from "../slot.ts";
import { ContractVendor } from "./contract-vendor.ts";
import type { Test } from "./opened-key-store.ts";

/** What a provider's client is asked to do. */
export interface ProviderExercise<C> {
  /** Sends one request by HTTP, and reads its answer to its end. What it makes of the answer says nothing. */
  request(client: C): Promise<unknown>;
  /** Opens a socket, and ends once it has closed or failed. Absent: its client opens none. */
  socket?(client: C): Promise<unknown>;
  /** Environment variables that its SDK reads, beside the provider's `keyVariable`. */
  readonly variables?: readonly string[];
}

/** The longest that a request of an exercise may take to notice that its vendor is silent, in milliseconds. */
const patienceMs = 10_000;

/**
 * What every `Provider` owes, as tests for any runner: nothing of the environment in its requests, the key that serves and
 * no other, on the host that serves and no other, in no object and no error, and an end to requests that stall. Starts
 * servers on loopback; sets `variables` while a test runs.
 */
export function providerContract<Id extends string, S extends Slot, C, R>(
  test: Test,
  provider: Provider<Id, S, C, R>,
  exercise: ProviderExercise<C>,
): void {
  const { socket, variables = [] } = exercise;
  const one = provider as unknown as Provider;
  const request = async (client: unknown): Promise<unknown> => await exercise.request(client as C);
  const names = [...variables, ...(provider.keyVariable === undefined ? [] : [provider.keyVariable])];
  const poisoned = (name: string, run: (vendor: ContractVendor) => Promise<void>): unknown =>
    test(name, async () => {
      const previous = names.map((variable) => [variable, process.env[variable]] as const);
      for (const variable of names) process.env[variable] = poisonOf(variable);
      const vendor = await ContractVendor.open(one);
      try {
        await run(vendor);
      } finally {
        await vendor.close();
        for (const [variable, value] of previous) {
          if (value === undefined) Reflect.deleteProperty(process.env, variable);
          else process.env[variable] = value;
        }
      }
    });

  poisoned("sends the key that serves, and nothing of the environment, to its own host alone", async () => {
    const steps: CanaryStep[] = [{ sends: "a request", run: request }];
    if (socket !== undefined) steps.push({ sends: "a socket", run: async (client) => await socket(client as C) });
    const loaded = await one.load?.();
    await runCanary(one, { sdk: provider.sdk ?? provider.id, versions: "", steps }, loaded);
    if (one.canary !== undefined) await runCanary(one, one.canary, loaded);
  });

  poisoned("is built on its default host, and its requests go to the one that serves", async (vendor) => {
    await request(await vendor.connect()).catch(() => {});
    equal(vendor.arrived.length, 1, "One request was to arrive at the serving host.");
    const { headers } = vendor.arrived[0] ?? {};
    equal(headers?.[vendor.keyHeader], vendor.shownKey, "It was to carry the key that serves.");
    const sent = JSON.stringify(vendor.arrived);
    ok(!names.some((name) => sent.includes(poisonOf(name))), "It carries something of the environment.");
  });

  poisoned("follows no redirect", async (vendor) => {
    const other = await ContractVendor.open(one);
    try {
      vendor.answer = (response) => response.writeHead(307, { location: other.origin }).end();
      await request(await vendor.connect()).catch(() => {});
      ok(vendor.arrived.length > 0, "A request was to arrive.");
      equal(other.arrived.length, 0, "Another host was asked.");
    } finally {
      await other.close();
    }
  });

  poisoned("shows its key nowhere, before and after a request, nor in an error that echoes it", async (vendor) => {
    const client = await vendor.connect();
    const shown = (value: unknown): string => inspect(value, { depth: 12, showHidden: true });
    ok(!shown(client).includes(vendor.key), "The client shows its key.");
    const echo = { message: vendor.key, error: { message: vendor.key } };
    vendor.answer = (response) => {
      response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify(echo));
    };
    const failed = await request(client).catch((error: unknown) => error);
    ok(!shown(failed).includes(vendor.key), "What it makes of an error shows the key.");
    ok(!shown(client).includes(vendor.key), "The client shows its key after a request.");
  });

  for (const part of ["headers", "body"] as const) {
    poisoned(`ends a request whose ${part} stall`, async (vendor) => {
      vendor.answer = (response) => {
        if (part === "body") response.writeHead(200, { "content-type": "application/json" }).write("{");
      };
      const client = await vendor.connect(200);
      const silent = Promise.withResolvers<void>();
      const timer = setTimeout(() => silent.reject(new Error("The request went on for ten seconds.")), patienceMs);
      await Promise.race([request(client).catch(() => {}), silent.promise]).finally(() => clearTimeout(timer));
    });
  }

  poisoned("sends nothing once its key is removed", async (vendor) => {
    const client = await vendor.connect();
    vendor.refusal = new ByokError("key_revoked", "The organisation has removed its key.", { provider: provider.id });
    await request(client).catch(() => {});
    await socket?.(client as C).catch(() => {});
    equal(vendor.arrived.length, 0, "A removed key's client has sent something.");
    await rejects(vendor.egress.fetch(vendor.egress.baseUrl), { code: "key_revoked" });
  });
}

/** A value that is a text, a header and a URL that leads nowhere. */
function poisonOf(variable: string): string {
  if (/URL|HOST|ENDPOINT/u.test(variable)) return `http://127.0.0.1:9/platform-leak-${variable}`;
  return /HEADERS/u.test(variable)
    ? `Authorization: Bearer platform-leak-${variable}\nX-Platform: platform-leak-${variable}`
    : `platform-leak-${variable}`;
}
