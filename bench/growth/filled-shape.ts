import { createHash } from "node:crypto";
import { type Keyring, Secret } from "../../src/index.ts";

/**
 * What a store of `size` organisations looks like: three keys each, stored one after the other over ninety days, with a
 * place and an audit row each, and the last day of the change log.
 */
export const providers: readonly [string, string, string] = ["openai", "deepgram", "elevenlabs"];
export const keptDays = 90;
export const dayMs = 86_400_000;
/** Rows of the log that are there at least. */
export const minLogRows = 100;
/** Rows in the audit trail of the first organisation, for pages that lie deep. */
export const trailRows = 2_000;
/** Organisations whose keys open; those of the others hold a copy of one sealed text. At any size as many, so that caches have the same chance. */
export const maxSamples = 3_000;

/** In no order, as ids are that an organisation did not choose. Both engines fill by the same rule. */
export function nameOrg(index: number): string {
  return `org-${createHash("md5").update(String(index)).digest("hex")}`;
}

function nameSecret(seq: number): string {
  const hex = createHash("md5").update(`secret-${seq}`).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

const seqOf = (index: number, turn: number): number => index * providers.length + turn + 1;

/** Which organisations are asked for, evenly over all of them. */
export function chooseSamples(size: number): number[] {
  const count = Math.min(size, maxSamples);
  return Array.from({ length: count }, (_, at) => Math.floor((at * size) / count));
}

export interface SealedSample {
  readonly seq: number;
  readonly secretId: string;
  readonly sealed: string;
}

export interface SealedSamples {
  readonly kid: string;
  readonly samples: readonly SealedSample[];
}

export async function sealSamples(keyring: Keyring, size: number): Promise<SealedSamples> {
  const samples: SealedSample[] = [];
  let kid = "";
  for (const index of chooseSamples(size)) {
    const orgId = nameOrg(index);
    for (const [turn, provider] of providers.entries()) {
      const seq = seqOf(index, turn);
      const secretId = nameSecret(seq);
      const context = { orgId, provider, secretId, region: null, account: null };
      const sealed = await keyring.seal(new Secret(`key-of-${provider}-${index}-of-a-usual-length`), context);
      samples.push({ seq, secretId, sealed: sealed.sealed });
      kid = sealed.kid;
    }
  }
  return { kid, samples };
}
