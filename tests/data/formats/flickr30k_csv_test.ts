import assert from "node:assert/strict";
import { join } from "node:path";
import { describeRejected } from "../../../src/data/formats/caption_rows.ts";
import { isFlickr30kHeader, parseFlickr30kCsv } from "../../../src/data/formats/flickr30k_csv.ts";
import { testData } from "../../support/test_data.ts";

Deno.test("parseFlickr30kCsv() reads results.csv with spaces or without, CRLF, bars and quotes in captions", () => {
  const expected = {
    rows: [
      { image: "1.jpg", caption: "A red kite , and a boat ." },
      { image: "1.jpg", caption: 'A sign says " a | b " .' },
    ],
    rejected: [],
  };
  const spaced = "image_name| comment_number| comment\n1.jpg| 0| A red kite , and a boat .\n" +
    '1.jpg| 1| A sign says " a | b " .\n';
  assert.deepEqual(parseFlickr30kCsv(spaced, "results.csv"), expected);
  assert.deepEqual(parseFlickr30kCsv(spaced.replaceAll("| ", "|").replaceAll("\n", "\r\n"), "results.csv"), {
    ...expected,
    rows: [expected.rows[0], { image: "1.jpg", caption: 'A sign says " a |b " .' }],
  });
});

Deno.test("parseFlickr30kCsv() rejects the published row without a second bar, `2199200615.jpg| 4   A dog runs`", () => {
  const { rows, rejected } = parseFlickr30kCsv(
    "image_name| comment_number| comment\n2199200615.jpg| 3| A dog in the sun .\n" +
      "2199200615.jpg| 4   A dog runs across the grass .\n2199200615x.jpg| 0| A cat .\n",
    "results.csv",
  );
  assert.deepEqual(rows.map(({ image }) => image), ["2199200615.jpg", "2199200615x.jpg"]);
  assert.deepEqual(rejected.map(describeRejected), [
    "line 3 of results.csv has no second '|', between the comment's number and it",
  ]);
});

Deno.test("parseFlickr30kCsv() rejects other faulty rows with their line", () => {
  for (
    const [line, reason] of [
      ["1.jpg", /has no '\|'/],
      ["1.jpg| one| x", /has no comment number/],
      ["| 0| x", /has no image name/],
      ["1.jpg| 0| ", /has no caption/],
      ["../1.jpg| 0| x", /leads out/],
    ] as const
  ) {
    const { rows, rejected } = parseFlickr30kCsv(`image_name|comment_number|comment\n\n${line}\n2.jpg|0|y`, "r.csv");
    assert.deepEqual([rows.length, rejected.length, rejected[0]?.line], [1, 1, 3]);
    assert.match(rejected[0]?.reason ?? "", reason);
  }
  assert.throws(() => parseFlickr30kCsv("1.jpg| 0| x\n", "r.csv"), {
    name: "InputError",
    message: /first line of r\.csv/,
  });
  assert(!isFlickr30kHeader("image_name,comment_number,comment"));
});

Deno.test({
  name: "parseFlickr30kCsv() reads a piece of results.csv with CRLF and no spaces",
  ignore: testData === undefined,
  async fn() {
    const text = await Deno.readTextFile(join(testData ?? "", "formats", "flickr30k", "results.csv"));
    const { rows, rejected } = parseFlickr30kCsv(text, "results.csv");
    assert.deepEqual(rejected, []);
    assert.deepEqual(rows.map(({ image }) => image), new Array(5).fill("10082347.jpg"));
    assert(rows.every(({ caption }) => caption.trim() === caption));
  },
});
