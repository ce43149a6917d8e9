import { ByokError } from "./errors.ts";

/** The longest organisation id and the longest name of an actor, in UTF-16 code units. */
const maxIdentifierLength = 255;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const controlCharacter = /[\u0000-\u001f\u007f]/u;

/**
 * Whether a platform's own name for something can be stored and compared. A lone surrogate cannot, because two different
 * ones would become the same bytes in a database, nor a control character, because Postgres takes no NUL.
 */
export function isIdentifier(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= maxIdentifierLength &&
    value.isWellFormed() &&
    !controlCharacter.test(value)
  );
}

/** Returns `orgId` if it is one. @throws ByokError `org_invalid` */
export function assertOrgId(orgId: string): string {
  if (isIdentifier(orgId)) return orgId;
  throw new ByokError(
    "org_invalid",
    `An organisation's id is a string of 1 to ${maxIdentifierLength} characters without control characters. Pass the id that the platform stores.`,
  );
}

/** @throws ByokError `options_invalid` unless `actor` can be stored. */
export function assertActor(orgId: string | undefined, actor: string | null): void {
  if (actor === null || isIdentifier(actor)) return;
  const message = `"actor" must be a string of 1 to ${maxIdentifierLength} characters without control characters. Pass who makes the change, or nothing.`;
  throw new ByokError("options_invalid", message, { orgId });
}
