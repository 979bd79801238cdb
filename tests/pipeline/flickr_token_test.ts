import assert from "node:assert/strict";
import { InputError } from "../../src/input_error.ts";
import { isFlickrTokenLine, parseFlickrToken } from "../../src/pipeline/flickr_token.ts";

Deno.test("parseFlickrToken() splits the name from the caption's number", () => {
  const text = "a.jpg#0\tA red kite .\r\na.jpg#1\tA kite , and #2 of it\r\n\r\nb.jpg.1#12\tTab\there\r\n";
  assert.deepEqual(parseFlickrToken(text, "x.token"), [
    { image: "a.jpg", caption: "A red kite ." },
    { image: "a.jpg", caption: "A kite , and #2 of it" },
    { image: "b.jpg.1", caption: "Tab\there" },
  ]);
});

Deno.test("parseFlickrToken() says which line is wrong", () => {
  for (const line of ["a.jpg\tno number", "a.jpg#1 no tab", "a.jpg#1\t ", "#1\tno name"]) {
    assert.throws(
      () => parseFlickrToken(`a.jpg#0\tA kite .\n${line}\n`, "x.token"),
      (error) => error instanceof InputError && error.message.includes("line 2 of x.token is not"),
      line,
    );
  }
});

Deno.test("isFlickrTokenLine() tells the format from CSV", () => {
  assert.ok(isFlickrTokenLine("a.jpg#0\tA kite ."));
  assert.ok(!isFlickrTokenLine("image,caption"));
});
