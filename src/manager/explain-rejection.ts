import { ownProperty } from "../own-property.ts";
import type { KeyCheck, Provider } from "../providers/provider.ts";

const causes: Partial<Record<NonNullable<KeyCheck["reason"]>, string>> = {
  blocked: "is blocked",
  account_closed: "belongs to an account that is closed",
  wrong_region: "belongs to another region",
  refused: "is refused, in words that byokit does not know",
};

/** What a provider that does not take a key says, in byokit's words, and what to do. */
export function explainRejection(
  provider: Provider,
  region: string | null,
  { reason, region: named }: KeyCheck,
): string {
  const regions = ownProperty(provider, "regions");
  const cause = (reason === undefined ? undefined : causes[reason]) ?? "is not valid";
  const said = `"${provider.id}" says that the key ${cause}`;
  const again = "Copy the key again from the provider's console, or make a new one.";
  if (reason === "wrong_account") {
    return `"${provider.id}" says that the key does not work for that organization or project. Store it with those that it belongs to, or with none ("account": null).`;
  }
  const isOfTheKey = reason === "blocked" || reason === "account_closed";
  if (regions === undefined || isOfTheKey) return `${said}. ${again}`;
  // Only a region that byokit knows is repeated: a provider's text never is.
  const other = named !== undefined && Object.hasOwn(regions, named) ? named : undefined;
  if (reason === "wrong_region") {
    return `${said}${other === undefined ? "" : `, "${other}"`}. Store it with the region that it belongs to.`;
  }
  const asked = region === null ? "without a region" : `in the region "${region}"`;
  return `${said}. It was asked ${asked}: if the key belongs to another region, store it with that one. ${again}`;
}
