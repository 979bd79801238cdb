import assert from "node:assert/strict";
import { captionLines, remarkOnLines } from "../../../src/data/formats/caption_lines.ts";

Deno.test("captionLines() ends lines at LF, CRLF and CR, but not inside a caption", () => {
  assert.deepEqual(captionLines(" a\r\n\nb\rc\u2028d\u0085e\n"), ["a", "b", "c\u2028d\u0085e"]);
});

Deno.test("remarkOnLines() speaks of texts with several lines if most have one", () => {
  assert.match(
    remarkOnLines([1, 2, 1]) ?? "",
    /^1 of 3 texts have more than one line, and each line counts as a caption/,
  );
  assert.equal(remarkOnLines([1, 1]), undefined);
  assert.equal(remarkOnLines([5, 5, 1]), undefined);
});
