// Lists of captions that a program wrote as one text: JSON, or the repr of Python or NumPy.

/** Longer texts are not read as lists. */
const MAX_CHARACTERS = 1_000_000;
const STRING = `u?(?:'(?:[^'\\\\]|\\\\.)*'|"(?:[^"\\\\]|\\\\.)*")`;
const STRINGS = new RegExp(STRING, "gs");
/** NumPy separates by white space alone. */
const ITEMS = `(?:(?:${STRING}|None|nan|null|NaN)\\s*(?:,\\s*)?)+`;
const LIST = new RegExp(`^(?:array\\()?[[({]\\s*${ITEMS}[\\])}]\\s*(?:,\\s*dtype=[^)]*)?\\)?$`, "s");
/** The beginning of a list or an object of texts. */
const BEGINNING = /^(?:array\()?[[({](?:\s*[[({])*\s*(?:[bu]?["']|(?:None|nan|null|NaN)\b)/;
const NUMBERS = /^\[[\s\d.,eE+-]*\]$/;
const ESCAPE = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(.))/gis;
const NAMED_ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/**
 * The captions in a field that holds a list of texts, without those that are missing.
 *
 * @returns Undefined if the field is a plain caption; "unreadable" for another list or an object.
 *
 * @example A list as Python writes it
 * ```ts
 * import assert from "node:assert/strict";
 * import { listedCaptions } from "./caption_list.ts";
 *
 * assert.deepEqual(listedCaptions(`['A kite .', "A kite's tail ."]`), ["A kite .", "A kite's tail ."]);
 * assert.equal(listedCaptions("A kite [red] ."), undefined);
 * ```
 */
export function listedCaptions(field: string): string[] | "unreadable" | undefined {
  const text = field.trim();
  if (NUMBERS.test(text)) return /\d/.test(text) ? "unreadable" : [];
  if (!BEGINNING.test(text) || text.length > MAX_CHARACTERS) return undefined;
  const fromJson = jsonTexts(text);
  if (fromJson !== undefined) return fromJson;
  if (LIST.test(text)) return (text.match(STRINGS) ?? []).map(unescaped);
  // A caption may begin with a parenthesis, and go on after the list: `["Stop"] is on the sign`.
  return !text.startsWith("(") && /[\])}]$/.test(text) ? "unreadable" : undefined;
}

function jsonTexts(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const items: unknown[] = Array.isArray(value) ? value.filter((item) => item !== null) : [value];
    return items.every((item) => typeof item === "string") ? items : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The text of a Python string literal. */
function unescaped(literal: string): string {
  return literal.replace(/^u/, "").slice(1, -1)
    .replace(ESCAPE, (_, byte?: string, unit?: string, point?: string, other: string = "") => {
      const digits = byte ?? unit ?? point;
      if (digits === undefined) return NAMED_ESCAPES[other] ?? other;
      const code = parseInt(digits, 16);
      return code > 0x10ffff ? "" : String.fromCodePoint(code);
    });
}
