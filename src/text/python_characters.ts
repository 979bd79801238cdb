// White space and word characters of Python and its `regex` package, which differ from JavaScript's `\s` and `\w`. Use
// the constants inside a character class of a pattern with the `u` flag.

/** White space of `str.split()`, `str.strip()` and `\s` of Python's `re`. */
export const PYTHON_SPACE: string = String.raw`\p{White_Space}\x1c-\x1f`;

/** `\w` of Python's `re`: letters and numbers of every script, no combining marks. */
export const PYTHON_WORD: string = String.raw`\p{L}\p{N}_`;

/** `\s` of the package `regex`. */
export const REGEX_SPACE: string = String.raw`\p{White_Space}`;

/** `\w` of the package `regex` (Unicode TR18, annex C). */
export const REGEX_WORD: string = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d`;

const space = new RegExp(`[${PYTHON_SPACE}]`, "u");

/** Strips white space at the end, like Python's `str.rstrip()`. */
export function trimEnd(text: string): string {
  // A pattern that ends in `+$` would take quadratic time on long runs of spaces inside the text.
  let end = text.length;
  while (end > 0 && space.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
