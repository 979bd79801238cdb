import assert from "node:assert/strict";
import { join } from "node:path";
import { isFlickrTokenLine, parseFlickrToken } from "../../../src/data/formats/flickr_token.ts";
import { testData } from "../../support/test_data.ts";

Deno.test("parseFlickrToken() splits the name from the caption's number", () => {
  const text = "a.jpg#0\tA red kite .\r\na.jpg#1\tA kite , and #2 of it\r\n\r\nb.jpg.1#12\tTab\there\r\n";
  assert.deepEqual(parseFlickrToken(text, "x.token"), {
    rows: [
      { image: "a.jpg", caption: "A red kite ." },
      { image: "a.jpg", caption: "A kite , and #2 of it" },
      { image: "b.jpg.1", caption: "Tab\there" },
    ],
    rejected: [],
  });
});

Deno.test("parseFlickrToken() rejects a line that is otherwise, with its number", () => {
  const faulty: [string, RegExp][] = [
    ["a.jpg\tno number", /is not "name\.jpg#0<TAB>caption"/],
    ["a.jpg#1 no tab", /is not "name/],
    ["a.jpg#1\t ", /has no caption/],
    ["#1\tno name", /is not "name/],
    [" #1\tno name", /has no image name/],
    ["../a.jpg#1\tx", /leads out/],
    [`a.jpg#1\t${"x".repeat(10_001)}`, /has a caption of 10001 characters; at most 10000 are allowed/],
  ];
  for (const [line, reason] of faulty) {
    const { rows, rejected } = parseFlickrToken(`a.jpg#0\tA kite .\n${line}\nb.jpg#0\tA boat .\n`, "x.token");
    assert.deepEqual(rows.map(({ image }) => image), ["a.jpg", "b.jpg"]);
    assert.deepEqual(rejected.map(({ file, line }) => [file, line]), [["x.token", 2]]);
    assert.match(rejected[0]?.reason ?? "", reason);
  }
});

Deno.test("isFlickrTokenLine() distinguishes the format from CSV", () => {
  assert.ok(isFlickrTokenLine("a.jpg#0\tA kite ."));
  assert.ok(!isFlickrTokenLine("image,caption"));
});

Deno.test({
  name: "parseFlickrToken() reads Flickr8k, and the name 2258277193_586949ec62.jpg.1 that no image has",
  ignore: testData === undefined,
  async fn() {
    const text = await Deno.readTextFile(join(testData ?? "", "flickr8k-text", "Flickr8k.token.txt"));
    const { rows, rejected } = parseFlickrToken(text, "Flickr8k.token.txt");
    assert.deepEqual([rows.length, rejected.length], [40460, 0]);
    const odd = rows.filter(({ image }) => !image.endsWith(".jpg")).map(({ image }) => image);
    assert.deepEqual([...new Set(odd)], ["2258277193_586949ec62.jpg.1"]);
  },
});
