/** The bytes of base64url without padding, spelt in the one canonical way; `undefined` for anything else. */
export function decodeBase64url(text: unknown): Buffer | undefined {
  if (typeof text !== "string") return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}
