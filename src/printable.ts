/**
 * Text from outside as a terminal may show it.
 *
 * @module
 */

const QUOTED_CHARACTERS = 80;
// What JSON leaves as it is although a terminal may obey it: other line ends, control sequences, the turning of text.
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * A word out of a file as an error message shows it: on one line, in quotes, shortened.
 *
 * @param word Any text.
 * @returns The quoted text.
 */
export function quoted(word: string): string {
  const short = word.length > QUOTED_CHARACTERS ? `${word.slice(0, QUOTED_CHARACTERS)}...` : word;
  return `'${printable(JSON.stringify(short).slice(1, -1))}'`;
}

/**
 * A text as a terminal may show it: on one line, and nothing in it is obeyed.
 *
 * @param text Any text, with paths and names that others have chosen.
 * @returns The text, with escapes in place of control characters.
 */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, escapedUnit);
}

function escapedUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
