import selfsigned from "selfsigned";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createKeyManager,
  createKeyring,
  createResolver,
  generateKeyring,
  memoryStore,
  type Resolver,
} from "../../src/index.ts";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { trust } from "../support/trust.ts";

const key = "customer-key-0123456789";
let untrust: () => void;
let doubles: ProviderDoubles;
let resolver: Resolver;

beforeAll(async () => {
  const certificate = await selfsigned.generate([{ name: "commonName", value: "127.0.0.1" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  const ids = ["openai", "xai", "deepgram", "elevenlabs", "resend"] as const;
  doubles = await startProviderDoubles({
    keys: Object.fromEntries(ids.map((id) => [id, [key]])),
    tls: { key: certificate.private, cert: certificate.cert },
  });
  untrust = trust(certificate.cert);
  const store = memoryStore();
  await store.migrate();
  const keyring = createKeyring(generateKeyring());
  const manager = createKeyManager({ store, keyring, endpoints: doubles.endpoints });
  for (const id of ids) await manager.set("org", { provider: id, apiKey: key });
  resolver = createResolver({ store, keyring, endpoints: doubles.endpoints });
  await resolver.ready();
});
afterAll(async () => {
  untrust();
  await resolver.close();
  await doubles.close();
});

describe("over TLS", () => {
  it.each(["openai", "xai"] as const)("a realtime session of %s opens, answers and closes", async (provider) => {
    const { realtime } = await resolver.resolve("org", { realtime_config: { provider } });
    expect(realtime.credential.websocketUrl).toMatch(/^wss:/u);
    const socket = await realtime.connect();
    const done = new Promise((resolve) => socket.on("response.done", resolve));
    socket.send({ type: "response.create" });
    await done;
    socket.close();
    expect(doubles.requests.at(-1)).toMatchObject({ provider, kind: "websocket", key, accepted: true });
  });

  it("deepgram's websocket opens", async () => {
    const { stt } = await resolver.resolve("org", { stt_config: { provider: "deepgram" } });
    const socket = await stt.client.listen.v1.connect({ model: stt.model } as never);
    socket.connect();
    await socket.waitForOpen();
    socket.close();
    expect(doubles.requests.at(-1)).toMatchObject({ provider: "deepgram", kind: "websocket", key, accepted: true });
  });

  it("requests of all SDKs pass", async () => {
    const call = await resolver.resolve("org", {
      llm_config: { provider: "openai" },
      stt_config: { provider: "deepgram" },
      tts_config: { provider: "elevenlabs" },
      realtime_config: { provider: "xai" },
    });
    doubles.clear();
    await call.llm.client.models.list();
    await call.realtime.client.models.list();
    await call.tts.client.models.list();
    const mail = await resolver.client("org", "resend");
    await mail.client.domains.list();
    await call.stt.client.manage.v1.projects.list().catch(() => {});
    expect(doubles.requests.map(({ provider, accepted }) => [provider, accepted])).toEqual(
      ["openai", "xai", "elevenlabs", "resend", "deepgram"].map((provider) => [provider, true]),
    );
  });

  it("a server whose certificate nobody trusts gets no key", async () => {
    untrust();
    doubles.clear();
    const { realtime } = await resolver.resolve("org", { realtime_config: { provider: "openai" } });
    await expect(realtime.connect()).rejects.toMatchObject({ code: "provider_failed" });
    expect(doubles.requests).toEqual([]);
  });
});
