import { ByokError } from "./errors.ts";

/** How Node, Bun and the bundlers name a package or a file that they did not find. */
const notFound = /(?:Cannot find (?:package|module)|Could not resolve) ["'](?<name>[^"']+)["']/u;

/** What is no package's name: a file of one that is installed. */
const file = /^(?:[./\\]|file:|[a-z]:)/iu;

/**
 * What the import of an optional peer failed with, a provider's SDK or a database's driver, as an error that names what is
 * missing and how to install it: `sdk_missing`, or `sdk_unsupported` for a version that has no such file. What failed in
 * another way stays as it is. `packages` has the peer, and what it needs beside it, as `npm install` takes them.
 *
 * The import stands in a `try` of its caller's: bundlers take it there for one that may fail.
 */
export function explainImport(error: unknown, user: string, packages: string): unknown {
  const { code, message }: { code?: unknown; message?: unknown } = Object(error);
  const name = notFound.exec(String(message))?.groups?.["name"];
  const isMissing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND" || name !== undefined;
  const details = { provider: user };
  if (code === "ERR_PACKAGE_PATH_NOT_EXPORTED" || (name !== undefined && file.test(name))) {
    const text = `What is installed for "${user}" lacks files that byokit builds on. Run: npm install ${packages}`;
    return new ByokError("sdk_unsupported", text, details);
  }
  if (!isMissing) return error;
  const known = packages.split(" ");
  const missing = name?.match(/^(?:@[^/]+\/)?[^/]+/u)?.[0];
  const wanted = missing === undefined ? packages : (known.find((one) => one.startsWith(`${missing}@`)) ?? missing);
  const text = `"${user}" needs ${missing ?? "a package"}, which is not installed. Run: npm install ${wanted}`;
  return new ByokError("sdk_missing", text, details);
}
