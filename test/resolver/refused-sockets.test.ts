import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import {
  byokErrorOf,
  createKeyManager,
  createKeyring,
  type FallbackPolicy,
  generateKeyring,
  type KeyManager,
  memoryStore,
  type Resolver,
  type ResolverEvent,
} from "../../src/index.ts";
import type { SlotWebSocket } from "../../src/providers/egress/slot-websocket.ts";
import { createResolverOn } from "../../src/resolver/create-resolver.ts";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { waitFor } from "../support/wait-for.ts";

const [monday, tuesday, platform] = ["monday", "tuesday", "platform"].map((day) => `key-of-${day}-0123456789`) as [
  string,
  string,
  string,
];
const ids = ["deepgram", "elevenlabs", "openai", "xai"] as const;
type Id = (typeof ids)[number];
const agentOf = {
  deepgram: { stt_config: { provider: "deepgram" }, tts_config: { provider: "deepgram" } },
  elevenlabs: { stt_config: { provider: "elevenlabs" }, tts_config: { provider: "elevenlabs" } },
  openai: { realtime_config: { provider: "openai" } },
  xai: { realtime_config: { provider: "xai" } },
} as const;
let doubles: ProviderDoubles;
let manager: KeyManager;
let open: (fallback?: FallbackPolicy, clock?: Clock) => Resolver;
let events: ResolverEvent[];

beforeEach(async () => {
  doubles = await startProviderDoubles({
    keys: Object.fromEntries(ids.map((id) => [id, [monday, tuesday, platform]])),
  });
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const { endpoints } = doubles;
  manager = createKeyManager({ store, keyring, endpoints, verify: "off" });
  events = [];
  open = (fallback = {}, clock = systemClock) => {
    const platformKeys = Object.fromEntries(ids.map((id) => [id, platform]));
    // Nothing is heard of a change unless a refusal asks.
    const limits = { leaseMs: 60_000, pollMs: 30_000 };
    const onEvent = (event: ResolverEvent): void => void events.push(event);
    const resolver = createResolverOn(clock, { store, keyring, endpoints, platformKeys, fallback, onEvent, ...limits });
    onTestFinished(async () => await resolver.close());
    return resolver;
  };
});
afterEach(async () => {
  await doubles.close();
});

type Slots = Record<"stt" | "tts" | "realtime", AnySlot>;
/** As much of a slot as every provider's has: each client has its own types. */
interface AnySlot {
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly client: any;
  readonly signal: AbortSignal;
  readonly WebSocket: new (url: string) => SlotWebSocket;
  connect(): Promise<{ readonly socket: SlotWebSocket }>;
}

interface Live {
  readonly opened: Promise<unknown>;
  readonly errors: unknown[];
  readonly messages: unknown[];
}

/** A socket as events tell of it: in Node's way, or in that of an SDK. */
const listenTo = (socket: {
  on(event: string, listener: (value: unknown) => void): unknown;
  close?(): void;
  terminate?(): void;
}): Live => {
  const errors: unknown[] = [];
  const messages: unknown[] = [];
  onTestFinished(() => (socket.terminate === undefined ? socket.close?.() : socket.terminate()));
  socket.on("message", (data) => messages.push(data));
  const opened = new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", (error) => {
      errors.push(error);
      reject(error);
    });
  });
  opened.catch(() => {});
  return { opened, errors, messages };
};

const ofDeepgram = async (connecting: Promise<unknown>): Promise<Live> => {
  const socket = (await connecting) as Parameters<typeof listenTo>[0] & {
    readonly socket: { readonly _options: { minReconnectionDelay?: number } };
    connect(): void;
  };
  socket.socket._options.minReconnectionDelay = 1;
  const live = listenTo(socket);
  socket.connect();
  return live;
};
const ofElevenLabs = ({ tts }: Slots, way: string): Live =>
  listenTo(new tts.WebSocket(`wss://api.elevenlabs.io/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/${way}?model_id=m`));
const ofRealtime = async ({ realtime }: Slots): Promise<Live> => {
  const connecting = realtime.connect();
  const errors: unknown[] = [];
  const opened = connecting.then(({ socket }) => {
    onTestFinished(() => socket.terminate());
    socket.on("error", (error) => errors.push(error));
  });
  await opened.catch((error) => errors.push(error));
  opened.catch(() => {});
  return { opened, errors, messages: [] };
};

/** ElevenLabs' SDK says nothing of its own when its socket is open. */
const ofScribe = async ({ stt }: Slots): Promise<Live> => {
  const options = { modelId: "scribe_realtime", audioFormat: "pcm_16000", sampleRate: 16_000 };
  const connection = await stt.client.speechToText.realtime.connect(options);
  const live = listenTo({
    close: () => connection.close(),
    on: (event, listener) => connection.on(event === "open" ? "session_started" : event, listener),
  });
  return live;
};

const sockets: readonly (readonly [string, Id, "stt" | "tts" | "realtime", (slots: Slots) => Promise<Live> | Live])[] =
  [
    ["Deepgram's live", "deepgram", "stt", ({ stt }) => ofDeepgram(stt.client.listen.v1.connect({ model: "nova-3" }))],
    ["Deepgram's speech", "deepgram", "tts", ({ tts }) => ofDeepgram(tts.client.speak.v1.connect({ model: "aura-2" }))],
    ["Deepgram's Flux", "deepgram", "stt", ({ stt }) => ofDeepgram(stt.client.listen.v2.connect({ model: "flux" }))],
    ["ElevenLabs' speech", "elevenlabs", "tts", (slots) => ofElevenLabs(slots, "stream-input")],
    ["ElevenLabs' speech of many", "elevenlabs", "tts", (slots) => ofElevenLabs(slots, "multi-stream-input")],
    ["ElevenLabs' transcription", "elevenlabs", "stt", ofScribe],
    ["OpenAI's realtime", "openai", "realtime", ofRealtime],
    ["xAI's realtime", "xai", "realtime", ofRealtime],
  ];

const frames = {
  deepgram: { type: "Error", code: "INSUFFICIENT_CREDITS", description: "Project does not have enough credits." },
  elevenlabs: { message: "This request exceeds your quota.", error: "quota_exceeded", code: 1_008 },
  openai: { type: "error", error: { type: "insufficient_quota", code: "insufficient_quota", message: "No quota." } },
  xai: { type: "error", error: { type: "x", code: "insufficient_quota", message: "Used all available credits." } },
} as const;

const keysSent = (): unknown[] => doubles.requests.filter(({ kind }) => kind === "websocket").map(({ key }) => key);
const slotsOf = async (resolver: Resolver, id: Id): Promise<Slots> =>
  (await resolver.resolve("org", agentOf[id])) as unknown as Slots;
const codeOf = (error: unknown): string | undefined => byokErrorOf(error)?.code;

describe.each(sockets)("%s socket", (_name, id, slot, connect) => {
  beforeEach(async () => {
    await manager.set("org", { provider: id, apiKey: monday });
  });

  it("opens with the newer key once the older one is refused, in one handshake more", async () => {
    const slots = await slotsOf(open(), id);
    await manager.set("org", { provider: id, apiKey: tuesday });
    doubles.revoke(id, monday);
    const { opened, errors } = await connect(slots);
    await opened;
    expect([keysSent(), errors]).toEqual([[monday, tuesday], []]);
    await (await connect(slots)).opened;
    expect(keysSent()).toEqual([monday, tuesday, tuesday]);
  });

  it.each([
    "rejected",
    "exhausted",
  ] as const)("of a key that is %s opens with the platform's where the operator says so", async (failure) => {
    const slots = await slotsOf(open({ [failure]: "platform" }), id);
    if (failure === "rejected") doubles.revoke(id, monday);
    else doubles.accept(id, monday, { quotaExceeded: true });
    const { opened, errors } = await connect(slots);
    await opened;
    await (await connect(slots)).opened;
    expect([keysSent(), errors]).toEqual([[monday, platform, platform], []]);
    const sent = events.filter((event) => event.type === "request");
    expect(sent.map(({ status, source }) => [status, source]).slice(1)).toEqual([
      [101, "platform"],
      [101, "platform"],
    ]);
  });

  it.each([
    "rejected",
    "exhausted",
  ] as const)("of a key that is %s is refused, and sends nothing more", async (failure) => {
    const slots = await slotsOf(open(), id);
    if (failure === "rejected") doubles.revoke(id, monday);
    else doubles.accept(id, monday, { quotaExceeded: true });
    for (let times = 0; times < 2; times += 1) {
      const { errors } = await connect(slots);
      await waitFor(() => expect(errors.map(codeOf)[0]).toBe(`key_${failure}`));
      expect(byokErrorOf(errors[0])).toMatchObject({ orgId: "org", provider: id, slot });
    }
    expect(keysSent()).toEqual([monday]);
  });

  it("tells its slot of a key that is exhausted on it, and the next one goes by what the operator says", async () => {
    const slots = await slotsOf(open(), id);
    const { signal } = slots[slot];
    const live = await connect(slots);
    await live.opened;
    doubles.fail({ provider: id, frame: frames[id], times: 1 });
    await waitFor(() => expect(codeOf(signal.reason)).toBe("key_exhausted"));
    expect(events.filter(({ type }) => type === "key_refused")).toEqual([
      expect.objectContaining({ failure: "exhausted", provider: id }),
    ]);
    const { errors } = await connect(slots);
    await waitFor(() => expect(errors.map(codeOf)[0]).toBe("key_exhausted"));
    expect(keysSent()).toEqual([monday]);
  });

  it("of a removed key sends nothing", async () => {
    const resolver = open();
    const slots = await slotsOf(resolver, id);
    const { seq } = await manager.remove("org", { provider: id });
    await resolver.resolve("org", agentOf[id], { atLeast: seq });
    if (doubles.requests.length > 0) doubles.clear();
    const { errors, opened } = await connect(slots);
    await Promise.race([opened.catch(() => {}), waitFor(() => expect(errors).not.toEqual([]))]);
    expect(keysSent().filter((key) => key !== platform)).toEqual([]);
  });
});

describe.each(["openai", "xai"] as const)("fifty sessions of %s", (id) => {
  it("hear what is said first, each of them, over a handshake that was made again", async () => {
    await manager.set("org", { provider: id, apiKey: monday });
    doubles.revoke(id, monday);
    const resolver = open({ rejected: "platform" });
    const first = await slotsOf(resolver, id);
    const heard = async ({ realtime }: Slots): Promise<unknown> => {
      const session = (await realtime.connect()) as unknown as {
        readonly socket: SlotWebSocket;
        on(event: string, listener: (event: { readonly type: string }) => void): void;
      };
      const type = await new Promise((resolve) => session.on("session.created", (event) => resolve(event.type)));
      session.socket.terminate();
      return type;
    };
    const types = await Promise.all(Array.from({ length: 50 }, async () => await heard(first)));
    expect(types).toEqual(types.map(() => "session.created"));
  });
});

describe("a key that is marked", () => {
  const typesOf = (): string[] => events.map(({ type }) => type).filter((type) => type.startsWith("key_"));

  it.each([
    ["takes its mark away where the first word is none of a refusal", 99, ["key_refused", "key_recovered"]],
    ["keeps its mark where the first word is one", 0, ["key_refused"]],
  ])("is tried by one socket after 30 seconds, which %s", async (_what, afterFrames, types) => {
    await manager.set("org", { provider: "openai", apiKey: monday });
    const clock = new ManualClock();
    const slots = await slotsOf(open({}, clock), "openai");
    doubles.accept("openai", monday, { quotaExceeded: true });
    await ofRealtime(slots);
    doubles.accept("openai", monday);
    clock.pauseProcess(29_999);
    expect((await ofRealtime(slots)).errors.map(codeOf)).toEqual(["key_exhausted"]);
    clock.pauseProcess(1);
    doubles.fail({ provider: "openai", frame: frames.openai, afterFrames });
    const { errors } = await ofRealtime(slots);
    await waitFor(() => expect(typesOf()).toEqual(types));
    expect([keysSent(), errors]).toEqual([[monday, monday], []]);
    const { errors: next } = await ofRealtime(slots);
    expect(next.map(codeOf)).toEqual(afterFrames === 0 ? ["key_exhausted"] : []);
  });
});
