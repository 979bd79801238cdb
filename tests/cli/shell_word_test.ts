import assert from "node:assert/strict";
import { shellWord } from "../../src/cli/shell_word.ts";

Deno.test("shellWord() leaves plain words, and quotes all others", () => {
  assert.equal(shellWord("/photos/my-run_1/best.safetensors"), "/photos/my-run_1/best.safetensors");
  assert.equal(shellWord("my photos"), "'my photos'");
  assert.equal(shellWord("it's $HOME"), "'it'\\''s $HOME'");
  assert.equal(shellWord(""), "''");
  assert.equal(shellWord("~"), "'~'");
});
