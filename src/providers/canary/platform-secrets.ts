/** Variables that name an account, by how they end. */
const credential = /(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?|ORG_ID|ORGANIZATION|PROJECT_ID|HEADERS)$/iu;

/** Shorter values are words, which may stand anywhere. */
const minLength = 16;

/** Objects that lead from a client to the whole process. */
const strangers: ReadonlySet<unknown> = new Set([globalThis, process, process.env]);

/** The most objects of a client that are looked at. */
const maxObjects = 20_000;

/** What the environment says that an SDK might take for a credential. Read only: other code does not notice. */
export function readPlatformSecrets(): string[] {
  return Object.entries(process.env).flatMap(([name, value = ""]) =>
    credential.test(name)
      ? value
          .split("\n")
          .flatMap(toWords)
          .filter((word) => word.length >= minLength)
      : [],
  );
}

/** `Authorization: Bearer word` is sent as its last word, in whatever scheme. */
function toWords(line: string): string[] {
  return [line.trim(), line.trim().split(/\s+/u).at(-1) ?? ""];
}

/** Whether a text that an object holds, at any depth that its own properties lead to, has one of `secrets` in it. */
export function holdsAny(root: unknown, secrets: readonly string[]): boolean {
  if (secrets.length === 0) return false;
  const seen = new Set<unknown>();
  const left: unknown[] = [root];
  while (left.length > 0 && seen.size < maxObjects) {
    const value = left.pop();
    if (typeof value === "string" && secrets.some((secret) => value.includes(secret))) return true;
    if ((typeof value !== "object" && typeof value !== "function") || value === null) continue;
    if (seen.has(value) || strangers.has(value) || ArrayBuffer.isView(value)) continue;
    seen.add(value);
    if (value instanceof Headers || value instanceof Map) left.push(...[...value].flat());
    for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) left.push(property.value);
  }
  return false;
}
