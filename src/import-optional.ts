import { ByokError } from "./errors.ts";

/**
 * Imports an optional peer: a provider's SDK, a database's driver.
 *
 * @throws ByokError `sdk_missing` with the install line when it is not installed.
 */
export async function importOptional<T>(user: string, packages: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw error;
    const message = `The package that "${user}" needs is not installed. Run: npm install ${packages}`;
    throw new ByokError("sdk_missing", message, { provider: user });
  }
}
