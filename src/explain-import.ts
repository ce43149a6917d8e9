import { ByokError, type ByokErrorDetails, isByokError } from "./errors.ts";

/** How Node, Bun and the bundlers name a package or a file that they did not find. */
const notFound = /(?:Cannot find (?:package|module)|Could not resolve) ["'](?<name>[^"']+)["']/u;

/** What is no package's name: a file of one that is installed. */
const file = /^(?:[./\\]|file:|[a-z]:)/iu;

/**
 * What the import of an optional peer failed with, a provider's SDK or a database's driver, as an error that names what is
 * missing and how to install it: `sdk_missing`, or `sdk_unsupported` for a version that has no such file. A file that the
 * process could not read is `import_failed`. What failed in another way stays as it is. `packages` has the peer, and what it
 * needs beside it, as `npm install` takes them.
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
  if (!isMissing) return isUnread(error) ? importFailed(error, `"${user}"`, details) : error;
  const known = packages.split(" ");
  const missing = name?.match(/^(?:@[^/]+\/)?[^/]+/u)?.[0];
  const wanted = missing === undefined ? packages : (known.find((one) => one.startsWith(`${missing}@`)) ?? missing);
  const text = `"${user}" needs ${missing ?? "a package"}, which is not installed. Run: npm install ${wanted}`;
  return new ByokError("sdk_missing", text, details);
}

/**
 * Imports what byokit itself is made of, which is loaded when it is first needed.
 *
 * @throws ByokError `import_failed`; retryable where the process had no file handle left, since it may have one later.
 * Node keeps some of these failures until it is restarted: before 22.21 and 24.12 all, and a package's inner files to this day.
 */
export async function importOwn<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw isByokError(error) ? error : importFailed(error, "byokit");
  }
}

/** `import_failed` of what is named: only what a free handle mends may be tried again. */
export function importFailed(error: unknown, what: string, details: ByokErrorDetails = {}): ByokError {
  const { code, path }: { code?: unknown; path?: unknown } = Object(error);
  const said = typeof code === "string" && /^[A-Z][A-Z\d_]{1,40}$/u.test(code) ? code : undefined;
  const why = [said, typeof path === "string" ? path.slice(0, 300) : undefined].filter((part) => part !== undefined);
  const shown = why.length === 0 ? "" : ` (${why.join(": ")})`;
  const mayPass = isOutOfHandles(error);
  const next = mayPass
    ? "Raise the limit of files that the process may open, and restart it if this goes on."
    : "Deploy it with all of its files, let the process read them, and restart it.";
  const lasting = mayPass ? details : ({ ...details, retryable: false } as const);
  return new ByokError("import_failed", `A file of ${what} could not be loaded${shown}. ${next}`, lasting);
}

/** Whether the system let a file not be read. Node says it of a package's manifest in words only. */
function isUnread(error: unknown): boolean {
  const { syscall, message }: { syscall?: unknown; message?: unknown } = Object(error);
  return typeof syscall === "string" || String(message).startsWith("Cannot read package config ");
}

/** Whether the system had no more to give, as another time it may. */
function isOutOfHandles(error: unknown): boolean {
  const { code, message }: { code?: unknown; message?: unknown } = Object(error);
  return /^(?:EMFILE|ENFILE|EAGAIN|ENOMEM)$/u.test(String(code)) || /: too many open files/iu.test(String(message));
}
