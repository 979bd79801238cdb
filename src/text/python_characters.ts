/**
 * White space and word characters as Python and its `regex` package see them, which differs from JavaScript's `\s` and
 * `\w`. Each constant stands inside a character class of a pattern with the `u` flag.
 *
 * @module
 */

/** What `str.split()`, `str.strip()` and `\s` of Python's `re` take for white space. */
export const PYTHON_SPACE: string = String.raw`\p{White_Space}\x1c-\x1f`;

/** What `\w` of Python's `re` takes for a word character: letters and numbers of every script, no combining marks. */
export const PYTHON_WORD: string = String.raw`\p{L}\p{N}_`;

/** What `\s` of the package `regex` takes for white space. */
export const REGEX_SPACE: string = String.raw`\p{White_Space}`;

/** What `\w` of the package `regex` takes for a word character (Unicode TR18, annex C). */
export const REGEX_WORD: string = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d`;

const space = new RegExp(`[${PYTHON_SPACE}]`, "u");

/**
 * The text without white space at its end, as Python's `str.rstrip()` gives it.
 *
 * @param text Any text.
 */
export function trimEnd(text: string): string {
  // From the end, since a pattern that ends in `+$` takes quadratic time on long runs of spaces inside the text.
  let end = text.length;
  while (end > 0 && space.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
