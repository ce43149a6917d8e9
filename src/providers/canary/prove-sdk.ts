import { ByokError } from "../../errors.ts";
import { ownProperty } from "../../own-property.ts";
import type { Provider } from "../provider.ts";
import type { Canary } from "./canary.ts";
import { CannotProve, runCanary, Unproven } from "./canary-run.ts";
import { findInstalledVersion, isWithin } from "./sdk-version.ts";

/** One proof of each SDK in a process, however many ask for it. */
const proofs = new WeakMap<Canary, Promise<void>>();

/**
 * Imports a provider's SDK, and the first time in this process has its canary prove it.
 *
 * @throws ByokError `sdk_missing`; `sdk_unsupported` unless every request of the canary arrived as it should.
 */
export async function loadProven(provider: Provider): Promise<unknown> {
  const canary = ownProperty(provider, "canary");
  let loaded: unknown;
  try {
    loaded = await provider.load?.();
  } catch (error) {
    // What is built on is not there: `Class extends value undefined`.
    if (canary === undefined || !(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    throw unsupported(provider, canary, "is not of the shape that byokit builds on");
  }
  if (canary === undefined) return loaded;
  let proof = proofs.get(canary);
  if (proof === undefined) {
    proof = prove(provider, canary, loaded);
    proofs.set(canary, proof);
  }
  await proof;
  return loaded;
}

/**
 * Proves `loaded` by its provider's canary.
 *
 * @throws ByokError `sdk_unsupported`
 */
export async function prove(provider: Provider, canary: Canary, loaded: unknown): Promise<void> {
  try {
    await runCanary(provider, canary, loaded);
  } catch (error) {
    const isFound = error instanceof Unproven && !error.isLate;
    // What is wrong with an SDK stays wrong; what could not be found out, as without a file handle, is asked again.
    if (!isFound) proofs.delete(canary);
    if (error instanceof Unproven) throw unsupported(provider, canary, error.message);
    if (!(error instanceof CannotProve)) throw error;
    trustVersion(provider, canary);
    proofs.set(canary, Promise.resolve());
  }
}

/** Where no canary can run, the version decides: one that is tested is taken, and the operator is told. */
function trustVersion(provider: Provider, canary: Canary): void {
  const version = findInstalledVersion(canary.sdk);
  if (version === undefined || !isWithin(version, canary.versions)) {
    throw unsupported(provider, canary, "could not be proven, because the process may not ask itself on 127.0.0.1");
  }
  process.emitWarning(
    `byokit did not prove the SDK of "${provider.id}", because the process may not ask itself on 127.0.0.1. It goes on with ${canary.sdk} ${version}, a version that is tested. Allow loopback to have it proven.`,
    { type: "ByokitWarning", code: "BYOKIT_UNPROVEN" },
  );
}

function unsupported(provider: Provider, { sdk, versions }: Canary, finding: string): ByokError {
  const installed = `${sdk} ${findInstalledVersion(sdk) ?? "(of an unknown version)"}`;
  const message = `${installed} ${finding}, so no key of "${provider.id}" is given to it. Run: npm install "${sdk}@${versions}"`;
  return new ByokError("sdk_unsupported", message, { provider: provider.id });
}
