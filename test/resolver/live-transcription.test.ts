import { afterEach, beforeEach, expect, it } from "vitest";
import { LiveTranscription } from "../../examples/live-transcription.ts";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  type KeyManager,
  memoryStore,
  type Resolver,
} from "../../src/index.ts";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { waitFor } from "../support/wait-for.ts";

const [monday, tuesday] = ["key-of-monday-0123456789", "key-of-tuesday-0123456789"] as const;
/** A tenth of a second of 8 kHz mu-law, in which a double hears one word. */
const word = Buffer.alloc(800, 0x55);
let doubles: ProviderDoubles;
let manager: KeyManager;
let resolver: Resolver;
let heard: string[];
let ended: unknown[];

beforeEach(async () => {
  doubles = await startProviderDoubles({ keys: { deepgram: [monday, tuesday] } });
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const { endpoints } = doubles;
  manager = createKeyManager({ store, keyring, endpoints });
  resolver = createResolver({ store, keyring, endpoints, clients: false, pollMs: 50, leaseMs: 200 });
  await manager.set("org", { provider: "deepgram", apiKey: monday });
  [heard, ended] = [[], []];
});
afterEach(async () => {
  await resolver.close();
  await doubles.close();
});

const start = async (): Promise<LiveTranscription> =>
  await LiveTranscription.start(
    resolver,
    "org",
    (words) => heard.push(words),
    (why) => ended.push(why),
  );
const sockets = (): unknown[] => doubles.requests.filter(({ kind }) => kind === "websocket").map(({ key }) => key);
const countHeard = (): number => heard.join(" ").split(" ").filter(Boolean).length;

it("a transcription whose key is replaced goes on with the other, and loses no audio", async () => {
  const transcription = await start();
  for (let turn = 0; turn < 4; turn += 1) transcription.hear(word);
  await waitFor(() => expect(sockets()).toEqual([monday]));
  await manager.set("org", { provider: "deepgram", apiKey: tuesday });
  for (let turn = 0; turn < 2; turn += 1) transcription.hear(word);
  await waitFor(() => expect(sockets()).toEqual([monday, tuesday]));
  // Once the first socket has said the rest of what it has heard, the second one hears alone.
  await waitFor(() => expect(countHeard()).toBeGreaterThanOrEqual(4));
  for (let turn = countHeard(); turn < 9; turn += 1) transcription.hear(word);
  transcription.end();
  await waitFor(() => expect(countHeard()).toBe(9));
  expect(ended).toEqual([]);
});

it("a transcription whose key is removed ends, and says why", async () => {
  const transcription = await start();
  transcription.hear(word);
  await waitFor(() => expect(sockets()).toEqual([monday]));
  await manager.remove("org", { provider: "deepgram" });
  await waitFor(() => expect(ended).toHaveLength(1));
  expect(ended[0]).toMatchObject({ code: expect.stringMatching(/^key_(?:revoked|not_configured)$/u), orgId: "org" });
});
