const QUOTED_CHARACTERS = 80;
// Characters that JSON does not escape although a terminal may interpret them: line ends, control sequences,
// bidirectional controls.
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Quotes a text from a file for an error message: on one line, shortened. */
export function quoted(text: string): string {
  const short = text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}...` : text;
  return `'${printable(JSON.stringify(short).slice(1, -1))}'`;
}

/** Makes a text safe to print: escapes everything a terminal may interpret, including line breaks. */
export function printable(text: string): string {
  return text.replaceAll(CONTROLS, escaped);
}

/**
 * As {@linkcode printable}, but keeps tabs and line feeds, for a text of several lines or columns. JSON stays the same
 * value: its strings contain no raw tab or line feed.
 */
export function printableLines(text: string): string {
  return text.replaceAll(CONTROLS, (unit) => unit === "\n" || unit === "\t" ? unit : escaped(unit));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
