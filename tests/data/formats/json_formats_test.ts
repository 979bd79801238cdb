import assert from "node:assert/strict";
import { join } from "node:path";
import { describeRejected } from "../../../src/data/formats/caption_rows.ts";
import { parseCocoCaptions } from "../../../src/data/formats/coco_captions.ts";
import { parseJsonCaptions } from "../../../src/data/formats/json_captions.ts";
import { parseKarpathyJson } from "../../../src/data/formats/karpathy_json.ts";
import { testData } from "../../support/test_data.ts";

function karpathyImage(filename: string, split: string, more: Record<string, unknown> = {}) {
  const sentences = [{ tokens: ["a", "kite"], raw: `A kite of ${filename} .`, imgid: 0, sentid: 0 }];
  return { sentids: [0], imgid: 0, sentences, split, filename, ...more };
}

Deno.test("parseKarpathyJson() joins filepath and filename, and counts restval as train", () => {
  const images = [
    karpathyImage("COCO_val2014_1.jpg", "restval", { filepath: "val2014", cocoid: 1 }),
    karpathyImage("COCO_train2014_2.jpg", "train", { filepath: "train2014" }),
    karpathyImage("COCO_val2014_3.jpg", "val", { filepath: "val2014" }),
    karpathyImage("4.jpg", "test"),
  ];
  const { rows, rejected, splits } = parseKarpathyJson(
    JSON.stringify({ images, dataset: "coco" }),
    "dataset_coco.json",
  );
  assert.deepEqual(rejected, []);
  assert.deepEqual(rows[0], { image: "val2014/COCO_val2014_1.jpg", caption: "A kite of COCO_val2014_1.jpg ." });
  assert.deepEqual(splits, {
    train: ["val2014/COCO_val2014_1.jpg", "train2014/COCO_train2014_2.jpg"],
    validation: ["val2014/COCO_val2014_3.jpg"],
    test: ["4.jpg"],
  });
});

Deno.test("parseKarpathyJson() rejects invalid parts, and says where", () => {
  const images = [
    karpathyImage("1.jpg", "train"),
    { filename: "2.jpg", split: "train" },
    karpathyImage("3.jpg", "elsewhere"),
    karpathyImage("1.jpg", "test"),
    karpathyImage("../4.jpg", "train"),
    karpathyImage("5.jpg", "train", { sentences: [{ raw: 5 }, {}, { raw: " " }] }),
    karpathyImage("6\0.jpg", "train"),
    "x",
  ];
  const { rows, rejected, splits } = parseKarpathyJson(JSON.stringify({ images }), "d.json");
  assert.equal(rows.length, 1);
  assert.equal(splits, undefined, "there is no image to validate and test with");
  const reasons = [
    /^d\.json: image 2 has no 'sentences'$/,
    /^d\.json: image 3 has the split 'elsewhere', which is not one of train, restval/,
    /^d\.json: image 4 puts '1\.jpg' into the test split, and it is in the train split already$/,
    /^d\.json: sentence 1 of image 5 has the image name '\.\.\/4\.jpg', which leads out/,
    /^d\.json: sentence 1 of image 6 has a wrong 'raw': /,
    /^d\.json: sentence 2 of image 6 has no 'raw'$/,
    /^d\.json: sentence 3 of image 6 has no caption$/,
    /^d\.json: sentence 1 of image 7 has the image name '6\\u0000\.jpg', which contains a NUL character$/,
    /^d\.json: image 8 is not valid/,
  ];
  assert.equal(rejected.length, reasons.length);
  for (const [index, reason] of reasons.entries()) {
    const row = rejected[index];
    assert.match(row === undefined ? "" : describeRejected(row), reason);
  }
  for (
    const [text, message] of [["[", /d\.json is not JSON/], ["{}", /d\.json has no 'images'/], [
      '{\n"a": 1\n"b"}',
      /line 3 of d\.json is not JSON/,
    ]] as const
  ) {
    assert.throws(() => parseKarpathyJson(text, "d.json"), { name: "InputError", message });
  }
});

function cocoText(names: readonly string[], more: readonly unknown[] = []) {
  return JSON.stringify({
    info: { year: 2014 },
    images: names.map((name, index) => ({ license: 3, file_name: name, id: 100 + index })),
    licenses: [],
    annotations: [
      ...names.map((name, index) => ({ image_id: 100 + index, id: index, caption: `Of ${name}` })),
      ...more,
    ],
  });
}

Deno.test("parseCocoCaptions() reads the captions of each image, without a split", () => {
  const { rows, rejected, splits } = parseCocoCaptions(cocoText(["t1.jpg", "t2.jpg"]), "captions_train2014.json");
  assert.deepEqual([rejected, splits], [[], undefined]);
  assert.deepEqual(rows, [{ image: "t1.jpg", caption: "Of t1.jpg" }, { image: "t2.jpg", caption: "Of t2.jpg" }]);
});

Deno.test("parseCocoCaptions() rejects invalid parts, and says where", () => {
  const text = cocoText(["1.jpg", "../2.jpg"], [
    { image_id: 7, caption: "x" },
    { image_id: 100 },
    { image_id: 100, caption: "\n" },
    null,
  ]);
  const { rows, rejected } = parseCocoCaptions(text, "c.json");
  assert.equal(rows.length, 1);
  assert.deepEqual(rejected.map(describeRejected).slice(0, 4), [
    "c.json: annotation 2 has the image name '../2.jpg', which leads out of the images folder",
    "c.json: annotation 3 has the image_id 7, which no image has",
    "c.json: annotation 4 has no 'caption'",
    "c.json: annotation 5 has no caption",
  ]);
  assert.equal(rejected.length, 5);
  assert.throws(() => parseCocoCaptions('{"images":[]}', "instances.json"), {
    message: /instances\.json has no 'annotations'/,
  });
});

Deno.test("parseJsonCaptions() reads an array and JSON Lines alike", () => {
  const entries = [
    { image: "日本/一 枚.jpg", captions: ["凧が飛んでいる。", "A kite ."], split: "train" },
    { image: "b.jpg", caption: "A boat .", split: "val" },
    { image: "c.jpg", caption: "A cow .", split: "test" },
  ];
  const array = parseJsonCaptions(JSON.stringify(entries, null, 2), "c.json");
  assert.deepEqual(array, {
    rows: [
      { image: "日本/一 枚.jpg", caption: "凧が飛んでいる。" },
      { image: "日本/一 枚.jpg", caption: "A kite ." },
      { image: "b.jpg", caption: "A boat ." },
      { image: "c.jpg", caption: "A cow ." },
    ],
    rejected: [],
    splits: { train: ["日本/一 枚.jpg"], validation: ["b.jpg"], test: ["c.jpg"] },
  });
  assert.deepEqual(parseJsonCaptions(`${entries.map((entry) => JSON.stringify(entry)).join("\r\n")}\n\n`, "c"), array);
});

Deno.test("parseJsonCaptions() reads other programs' keys", () => {
  const entries = [
    { file_name: "a.jpg", text: "x" },
    { image: "b.jpg", text: ["x", "y"] },
    { file_path: "in/c.jpg", captions: ["x"], id: 7 },
    { file_name: "d.jpg", caption_0: "x", caption_1: null, caption_2: "z" },
    { image_path: "e.jpg", captions: "x" },
    { image: 7, caption: "x" },
  ];
  const { rows, rejected } = parseJsonCaptions(JSON.stringify(entries), "c.json");
  assert.deepEqual(rejected, []);
  assert.deepEqual(rows.map(({ image, caption }) => `${image} ${caption}`), [
    ...["a.jpg x", "b.jpg x", "b.jpg y", "in/c.jpg x", "d.jpg x", "d.jpg z", "e.jpg x", "7 x"],
  ]);
});

Deno.test("parseJsonCaptions() rejects entries with the line or the entry's number", () => {
  const entries = ['{"image":"a.jpg","caption":"x"}', '{"image":"b.jpg"}', "{", '{"image":"c.jpg","captions":[1,"y"]}'];
  const lines = parseJsonCaptions(entries.join("\n"), "c.jsonl");
  assert.deepEqual(lines.rows.map(({ image }) => image), ["a.jpg", "c.jpg"]);
  assert.deepEqual(lines.rejected.map(describeRejected), [
    "line 2 of c.jsonl has no 'captions'",
    "line 3 of c.jsonl is not JSON",
    "line 4 of c.jsonl has a caption that is not text",
  ]);
  const array = parseJsonCaptions(`[${entries[0]},${entries[1]}]`, "c.json");
  assert.deepEqual(array.rejected.map(describeRejected), ["c.json: entry 2 has no 'captions'"]);
  assert.throws(() => parseJsonCaptions(`[${entries[0]},\n${entries[2]}`, "c.json"), { name: "InputError" });
});

Deno.test("parseJsonCaptions() loses only the row to a NaN as Python writes it, and reads trailing commas", () => {
  const text = '[{"image": "a.jpg", "caption": "NaN, Infinity,]"},\n{"image": "b.jpg", "caption": NaN},' +
    '\n{"image": "c.jpg", "caption": "x", "score": -Infinity, },\n]';
  const { rows, rejected } = parseJsonCaptions(text, "c.json");
  assert.deepEqual(rows.map(({ image, caption }) => `${image} ${caption}`), ["a.jpg NaN, Infinity,]", "c.jpg x"]);
  assert.deepEqual(rejected.map(describeRejected), ["c.json: entry 2 has no 'captions'"]);
  const lines = parseJsonCaptions('{"image":"a.jpg","caption":"x","n":NaN}\n', "c.jsonl");
  assert.equal(lines.rows.length, 1);
});

Deno.test("parseJsonCaptions() names the line of a fault", () => {
  const text = `[\n${'{"image": "a.jpg", "caption": "x"},\n'.repeat(5)}{"image": "b.jpg", "caption": y}\n]`;
  assert.throws(() => parseJsonCaptions(text, "c.json"), { message: /: line 7 of c\.json is not JSON; / });
});

Deno.test("parseJsonCaptions() skips an empty caption beside a good one", () => {
  const { rows, rejected } = parseJsonCaptions('[{"image":"a.jpg","caption":["A kite .",""]}]', "c.json");
  assert.deepEqual([rows.length, rejected], [1, []]);
});

Deno.test({
  name: "parseKarpathyJson() and parseCocoCaptions() read pieces of the published files",
  ignore: testData === undefined,
  async fn() {
    const folder = testData ?? "";
    const karpathy = await Deno.readTextFile(join(folder, "formats", "karpathy_flickr8k_first3.json"));
    const { rows, rejected, splits } = parseKarpathyJson(karpathy, "dataset_flickr8k.json");
    assert.deepEqual([rows.length, rejected.length, splits], [15, 0, undefined]);
    assert.equal(rows[0]?.image, "2513260012_03d33305cf.jpg");
    const file = join(folder, "coco-mini", "annotations", "captions_train2017.json");
    const coco = parseCocoCaptions(await Deno.readTextFile(file), file);
    assert.deepEqual([new Set(coco.rows.map(({ image }) => image)).size, coco.rejected.length], [80, 0]);
  },
});
