import { ByokError } from "./errors.ts";
import { isIdentifier, maxIdentifierLength } from "./identifier.ts";

/** Returns `orgId` if it is one. @throws ByokError `org_invalid` */
export function checkOrgId(orgId: string): string {
  if (isIdentifier(orgId)) return orgId;
  throw new ByokError(
    "org_invalid",
    `An organisation's id is a string of 1 to ${maxIdentifierLength} characters without control characters. Pass the id that the platform stores.`,
  );
}
