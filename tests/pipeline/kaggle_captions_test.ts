import assert from "node:assert/strict";
import { InputError } from "../../src/input_error.ts";
import { parseKaggleCaptions } from "../../src/pipeline/kaggle_captions.ts";

function parse(text: string) {
  return parseKaggleCaptions(text, "captions.txt");
}

Deno.test("parseKaggleCaptions() reads quoted commas, quotes and line breaks", () => {
  assert.deepEqual(parse('image,caption\na.jpg,"A red kite , a ""blue"" one"\nb.jpg,"two\nlines"\n'), [
    { image: "a.jpg", caption: 'A red kite , a "blue" one' },
    { image: "b.jpg", caption: "two\nlines" },
  ]);
});

Deno.test("parseKaggleCaptions() reads a byte order mark, CRLF, blank lines and a missing last line break", () => {
  assert.deepEqual(parse('\uFEFF"image",caption\r\na.jpg,A kite .\r\n\r\nb.jpg,A boat .'), [
    { image: "a.jpg", caption: "A kite ." },
    { image: "b.jpg", caption: "A boat ." },
  ]);
});

Deno.test("parseKaggleCaptions() finds the columns by name among others", () => {
  assert.deepEqual(parse("id,Caption, Image\n7,A kite .,a.jpg\n"), [{ image: "a.jpg", caption: "A kite ." }]);
});

Deno.test("parseKaggleCaptions() keeps stray quotes and unquoted commas of a caption", () => {
  assert.deepEqual(parse('image,caption\na.jpg,A sign says "no" , in red\n'), [
    { image: "a.jpg", caption: 'A sign says "no" , in red' },
  ]);
});

Deno.test("parseKaggleCaptions() says which column or line is wrong", () => {
  const wrong: [string, RegExp][] = [
    ["image,text\na.jpg,x", /column 'caption' is missing in captions\.txt; /],
    ["file,caption\na.jpg,x", /column 'image' is missing in captions\.txt; /],
    ["a poem\nof two lines", /column 'image' is missing/],
    ["image,caption\na.jpg,x\nb.jpg\n", /line 3 of captions\.txt has no caption/],
    ["image,caption\na.jpg,x\nb.jpg,  \n", /line 3 of captions\.txt has no caption/],
    ["image,caption\n,x\n", /line 2 of captions\.txt has no image name/],
    ["caption,image\nx, y,a.jpg\n", /line 2 of captions\.txt has too many/],
    ['image,caption\na.jpg,x\nb.jpg,"never closed\n', /quote that does not match after line 2/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
      text,
    );
  }
});
