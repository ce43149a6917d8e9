import { ByokError } from "./errors.ts";

/** The longest organisation id, in UTF-16 code units. */
const maxLength = 255;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const controlCharacter = /[\u0000-\u001f\u007f]/u;

/**
 * Returns `orgId` if it is one. A lone surrogate is refused because two different ones would become the same bytes in a
 * database, and a control character because Postgres takes no NUL.
 *
 * @throws ByokError `org_invalid`
 */
export function checkOrgId(orgId: string): string {
  const isOrgId =
    typeof orgId === "string" &&
    orgId.length > 0 &&
    orgId.length <= maxLength &&
    orgId.isWellFormed() &&
    !controlCharacter.test(orgId);
  if (isOrgId) return orgId;
  throw new ByokError(
    "org_invalid",
    `An organisation's id is a string of 1 to ${maxLength} characters without control characters. Pass the id that the platform stores.`,
  );
}
