import assert from "node:assert/strict";
import { fileErrorReason } from "../../src/files/file_error.ts";
import { printable, quoted } from "../../src/printable.ts";

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

Deno.test("fileErrorReason() gives words for known codes, and any other error's message on one line", () => {
  assert.equal(fileErrorReason(Object.assign(new Error("os error 28"), { code: "ENOSPC" })), "the disk is full");
  assert.equal(fileErrorReason(new Error("the cable\nis out")), "the cable is out");
  assert.equal(fileErrorReason("a word"), "a word");
});
