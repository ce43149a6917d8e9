import { type ByokError, isByokError } from "../../src/errors.ts";

/** The ByokError that `work` fails with; anything else fails the test. */
export async function caught(work: Promise<unknown>): Promise<ByokError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (isByokError(error)) return error;
  throw new Error("It did not fail with a ByokError.", { cause: error });
}
