import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { isByokError, type ResolvedSlot } from "byokit";
import { type FirstByte, frontDesk, holdSession, holdTurn, sendSummary, voiceLine } from "./conversation.ts";
import { type DemoPlatform, demoPlatform } from "./platform.ts";
import { type CallReport, table } from "./report.ts";

const { values: options } = parseArgs({
  options: { json: { type: "boolean", default: false }, live: { type: "boolean", default: false } },
});
const calls: CallReport[] = [];

await using platform = await demoPlatform(options.live);
const { resolver, manager } = platform;
const has = (...ids: string[]): boolean =>
  ids.every((id) => (platform.availableProviders as ReadonlySet<string>).has(id));

for (const orgId of platform.organisations) {
  const step = "every organisation on the right key";
  if (has("openai", "deepgram", "elevenlabs")) {
    await call(step, orgId, () => resolver.resolve(orgId, frontDesk), holdTurn);
  }
  if (has("xai")) await call(step, orgId, () => resolver.resolve(orgId, voiceLine), holdSession);
  if (has("resend")) {
    const mail = async () => ({ orgId, email: await resolver.client(orgId, "resend") });
    await call(step, orgId, mail, ({ email }) => sendSummary(email.client));
  }
}

if (platform.hasRedis && has("xai")) {
  await using other = await platform.anotherWorker();
  const step = "another worker finds in Redis what the first one has read";
  await call(step, "acme", () => other.resolve("acme", voiceLine), holdSession);
}

if (has("openai", "deepgram", "elevenlabs")) {
  const { seq } = await manager.remove("acme", { provider: "openai", actor: "demo" });
  const removed = "acme removes its OpenAI key: the next call shows it";
  await call(removed, "acme", () => resolver.resolve("acme", frontDesk, { atLeast: seq }), holdTurn);

  spoilKey(platform.databasePath, "borealis", "deepgram");
  const spoilt = "borealis' Deepgram key no longer opens: a typed failure, no silent fallback";
  const { seq: after } = await manager.remove("borealis", { provider: "openai", actor: "demo" });
  await call(spoilt, "borealis", () => resolver.resolve("borealis", frontDesk, { atLeast: after }), holdTurn);
}

process.stdout.write(`${options.json ? JSON.stringify({ calls }, null, 2) : table(calls)}\n`);
const isExpected = ({ step, error }: CallReport): boolean =>
  step.startsWith("borealis' Deepgram key") ? error?.code === "key_undecryptable" : error === undefined;
const hasUnexpected = !calls.every(isExpected);
if (calls.length === 0) process.stderr.write("No provider has a key in the environment. See the README, Try it.\n");
process.exitCode = hasUnexpected || calls.length === 0 ? 1 : 0;

/** Resolves, holds the call, and compares whose key each slot claims with what the provider's double received. */
async function call<R extends { readonly orgId: string }>(
  step: string,
  orgId: string,
  resolve: () => Promise<R>,
  hold: (resolution: R, firstByte: FirstByte) => Promise<void>,
): Promise<void> {
  platform.doubles?.clear();
  const startedAt = performance.now();
  const firstByte: FirstByte = {};
  try {
    const resolution = await resolve();
    const resolveMs = performance.now() - startedAt;
    await hold(resolution, firstByte);
    const slots = (Object.values(resolution) as unknown[]).filter(isSlot);
    for (const slot of slots) compare(platform, orgId, slot);
    calls.push({
      orgId,
      step,
      resolveMs,
      snapshot: platform.lastOrigin(),
      slots: slots.map(({ slot, provider, model, source, reason }) => ({
        slot,
        provider,
        model,
        source,
        reason,
        firstByteMs: firstByte[slot] ?? null,
      })),
    });
  } catch (error) {
    if (!isByokError(error)) throw error;
    const slots = (error.failures ?? []).map(({ slot }) => slot);
    calls.push({
      orgId,
      step,
      resolveMs: performance.now() - startedAt,
      snapshot: platform.lastOrigin(),
      slots: [],
      error: { code: error.code, slots },
    });
  }
}

function isSlot(value: unknown): value is ResolvedSlot {
  return typeof value === "object" && value !== null && "slot" in value;
}

function compare({ doubles, ownerOf }: DemoPlatform, orgId: string, { provider, source }: ResolvedSlot): void {
  if (doubles === undefined) return;
  const received = doubles.requests.filter((request) => request.provider === provider);
  const expected = source === "byok" ? orgId : "platform";
  if (received.length > 0 && received.every(({ key, accepted }) => accepted && ownerOf(key) === expected)) return;
  throw new Error(`${provider} did not receive the key that the slot of ${orgId} claims (${source}).`);
}

function spoilKey(path: string, orgId: string, provider: string): void {
  const database = new DatabaseSync(path);
  const spoil =
    "UPDATE byok_secret SET sealed = substr(sealed, 1, length(sealed) - 4) || 'AAAA' WHERE org_id = ? AND provider = ?";
  database.prepare(spoil).run(orgId, provider);
  database.close();
}
