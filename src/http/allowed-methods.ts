/** The paths of an OpenAPI document, each with its operations by method. */
type Paths = Readonly<Record<string, object>>;

/** What `Allow` says of each path that a document describes: HEAD goes with GET, and OPTIONS with every path. */
export function readAllowedMethods(paths: Paths): ReadonlyMap<string, string> {
  return new Map(Object.entries(paths).map(([path, operations]) => [path, describeMethods(operations)]));
}

function describeMethods(operations: object): string {
  const methods = Object.keys(operations).flatMap((name) => (name === "get" ? ["GET", "HEAD"] : [name.toUpperCase()]));
  return [...methods, "OPTIONS"].join(", ");
}
