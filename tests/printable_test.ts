import assert from "node:assert/strict";
import { printable, printableLines, quoted } from "../src/printable.ts";

/** C0 and C1 controls, line separators, and the bidirectional controls of Unicode. */
const CONTROLS = [
  ...[0x00, 0x07, 0x0d, 0x1b, 0x7f, 0x80, 0x85, 0x9b, 0x9f, 0x61c, 0x200e, 0x200f, 0x2028, 0x2029],
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069],
];

/** Joiners of scripts and emoji, and characters beyond 16 bits. */
const TEXT = "café می\u200cخواهم 👩\u200d🍳 犬\u00a0";

Deno.test("printable() escapes controls of terminals and of the direction of text, and line ends", () => {
  for (const code of [...CONTROLS, 0x09, 0x0a]) {
    const escape = `\\u${code.toString(16).padStart(4, "0")}`;
    assert.equal(printable(`a${String.fromCharCode(code)}b`), `a${escape}b`);
    assert.doesNotMatch(quoted(String.fromCharCode(code)), /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
  }
  assert.equal(printable(TEXT), TEXT);
});

Deno.test("printableLines() keeps tabs and line feeds only", () => {
  assert.equal(printableLines("a\tb\nc\rd"), "a\tb\nc\\u000dd");
  for (const code of CONTROLS) assert.equal(printableLines(String.fromCharCode(code)).length, 6);
  assert.equal(printableLines(TEXT), TEXT);
});

Deno.test("printableLines() changes no value of JSON", () => {
  const value = { [String.fromCharCode(0x9b)]: CONTROLS.map((code) => String.fromCharCode(code)).join("\t\n") };
  for (const space of [0, 2]) {
    const text = printableLines(JSON.stringify(value, null, space));
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
    assert.deepEqual(JSON.parse(text), value);
  }
});

Deno.test("quoted() prints any text on one line, without control characters", () => {
  assert.equal(quoted("a dög 🐕"), "'a dög 🐕'");
  assert.equal(quoted("a\nb\u2028c\u0085d"), String.raw`'a\nb\u2028c\u0085d'`);
  assert.equal(quoted("\u001b[2J\u009b2J\u202eabc\u007f"), String.raw`'\u001b[2J\u009b2J\u202eabc\u007f'`);
});

Deno.test("quoted() shortens a long word, even through the midst of a character", () => {
  assert.equal(quoted("x".repeat(10_000)), `'${"x".repeat(80)}...'`);
  assert.equal(quoted(`${"x".repeat(79)}🐕🐕`), `'${"x".repeat(79)}${String.raw`\ud83d`}...'`);
});

Deno.test("printable() escapes control characters and leaves the rest, however long", () => {
  const text = `"a" 'b' \\ 🐕 ${"x".repeat(200)}`;
  assert.equal(printable(`${text}\n\u001b[2J`), String.raw`${text}\u000a\u001b[2J`);
});
