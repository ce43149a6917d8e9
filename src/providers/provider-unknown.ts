import { ByokError } from "../errors.ts";

/** The text that was taken for an id is not repeated: people paste keys into the wrong field. */
export function providerUnknown(orgId: string, known: Iterable<string>): ByokError {
  const message = `No provider has that id. Use one of: ${[...known].join(", ")}.`;
  return new ByokError("provider_unknown", message, { orgId });
}
