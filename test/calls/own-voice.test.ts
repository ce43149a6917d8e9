/** What names a voice of the customer's own is never sent with the platform's key, now or in the turns that follow. */
import { expect, it } from "vitest";
import { callWorld, keys } from "./call-world.ts";
import { ways } from "./ways.ts";

it("a voice that only the customer's account may have is never asked for with the platform's key", async () => {
  const way = ways.find(({ name }) => name === "ElevenLabs, speech");
  if (way === undefined) throw new Error("no such way");
  await using world = await callWorld(way, { fallback: { rejected: "platform" } });
  const { tts } = await world.resolver.resolve(world.orgId, { tts_config: { provider: "elevenlabs" } });
  const say = async () =>
    await tts.fetch("https://api.elevenlabs.io/v1/text-to-speech/customers-own-voice/stream", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"text":"Hello."}',
    });
  expect((await say()).status).toBe(200);
  world.doubles.revoke("elevenlabs", keys.old);
  const statuses = [(await say()).status, (await say()).status];
  expect(world.requests()).toEqual(["old", "old refused"]);
  expect(statuses).toEqual([401, 401]);
});
