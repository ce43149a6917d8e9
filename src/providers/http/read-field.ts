/** The object at a path of an answer's body. Own properties only. */
export function readObject(body: unknown, ...path: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const value = readValue(body, path);
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}

/** The string at a path of an answer's body, or "". Own properties only. */
export function readField(body: unknown, ...path: readonly string[]): string {
  const value = readValue(body, path);
  return typeof value === "string" ? value : "";
}

function readValue(body: unknown, path: readonly string[]): unknown {
  let value = body;
  for (const name of path) {
    const isObject = typeof value === "object" && value !== null;
    value = isObject && Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}
