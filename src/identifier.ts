/** The longest organisation id and the longest name of an actor, in UTF-16 code units. */
export const maxIdentifierLength = 255;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const controlCharacter = /[\u0000-\u001f\u007f]/u;

/**
 * Whether a platform's own name for something can be stored and compared. A lone surrogate cannot, because two different
 * ones would become the same bytes in a database, nor a control character, because Postgres takes no NUL.
 */
export function isIdentifier(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= maxIdentifierLength &&
    value.isWellFormed() &&
    !controlCharacter.test(value)
  );
}
