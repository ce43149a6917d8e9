/**
 * What a terminal obeys in place of showing it, or what changes how the text beside it reads: control characters, breaks of
 * lines and paragraphs, directions of writing, what has no width, and half a character.
 */
const hidden =
  /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** The text with everything hidden in it written as JSON does: `\u001b`. */
export function escapeText(text: string): string {
  return text.replace(hidden, (character) => {
    const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

export function hasHiddenCharacter(text: string): boolean {
  return text.search(hidden) !== -1;
}
