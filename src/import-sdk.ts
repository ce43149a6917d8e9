import { ByokError } from "./errors.ts";

/** Imports a provider's SDK. @throws ByokError `sdk_missing` with the install line when it is not installed. */
export async function importSdk<T>(provider: string, packages: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw error;
    const message = `The SDK of "${provider}" is not installed. Run: npm install ${packages}`;
    throw new ByokError("sdk_missing", message, { provider });
  }
}
