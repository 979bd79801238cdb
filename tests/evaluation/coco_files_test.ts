import assert from "node:assert/strict";
import { matchReferences, parsePredictions, parseReferences } from "../../src/evaluation/coco_files.ts";
import { CaptionOutput } from "../../src/cli/print_captions.ts";
import { InputError } from "../../src/input_error.ts";

function refuses(action: () => unknown, pattern: RegExp): void {
  assert.throws(action, (error) => error instanceof InputError && pattern.test(error.message));
}

Deno.test("parsePredictions() reads ids that are numbers or strings", () => {
  const text = JSON.stringify([{ image_id: 42, caption: "a kite" }, { image_id: "b.jpg", caption: "" }]);
  assert.deepEqual(parsePredictions(text, "p.json"), [{ image: "42", caption: "a kite" }, {
    image: "b.jpg",
    caption: "",
  }]);
});

Deno.test("parsePredictions() names images that are predicted twice, and describes the format", () => {
  const twice = [1, 2, 1, 3, 3, 4, 4, 5, 5].map((image_id) => ({ image_id, caption: "x" }));
  refuses(
    () => parsePredictions(JSON.stringify(twice), "p.json"),
    /^Cannot score p\.json: '1', '3', '4' and 1 more images predicted twice/,
  );
  refuses(() => parsePredictions('{"a": 1}', "p.json"), /^Cannot read predictions: p\.json .*must be \[\{"image_id"/);
  refuses(() => parsePredictions("[{", "p.json"), /p\.json is not JSON/);
});

Deno.test("parseReferences() reads lists by image, and COCO's annotations", () => {
  const lists = { "a.jpg": ["one", "two"], "b.jpg": ["three"] };
  assert.deepEqual(Object.fromEntries(parseReferences(JSON.stringify(lists), "r.json").captions), lists);
  const annotations = [[7, "one"], [8, "three"], [7, "two"]].map(([image_id, caption]) => ({ image_id, caption }));
  const coco = parseReferences(JSON.stringify({ images: [], annotations }), "r.json");
  assert.deepEqual([...coco.captions], [["7", ["one", "two"]], ["8", ["three"]]]);
  refuses(() => parseReferences('{"a": []}', "r.json"), /^Cannot read references: r\.json .*; it must be \{"image"/);
  refuses(() => parseReferences("[1]", "r.json"), /^Cannot read references/);
});

Deno.test("matchReferences() returns pairs in the references' order, and names images that have one without the other", () => {
  const references = { captions: new Map([["a", ["x"]], ["b", ["y"]]]), names: new Map() };
  const predictions = [{ image: "b", caption: "2" }, { image: "a", caption: "1" }];
  assert.deepEqual(matchReferences(predictions, references), [
    { image: "a", caption: "1", references: ["x"] },
    { image: "b", caption: "2", references: ["y"] },
  ]);
  refuses(() => matchReferences(predictions.slice(1), references), /there is no prediction of 'b'; predict all/);
  refuses(
    () => matchReferences([...predictions, { image: "c\n", caption: "" }], references),
    /no references of 'c\\n'/,
  );
});

const MODEL = { name: "m", epoch: 1, cider: 0.5 };

Deno.test("parsePredictions() reads what caption --json and --jsonl print", () => {
  const captions = [
    { image: "photos/a.jpg", text: "a kite", logProbability: -1, tokens: ["a", "kite"] },
    { image: "photos/b.jpg", text: "a boat", logProbability: -2, tokens: ["a", "boat"], alternatives: [] },
  ];
  const expected = captions.map(({ image, text }) => ({ image, caption: text }));
  for (const format of ["json", "jsonl"] as const) {
    const output = new CaptionOutput({ format, single: false, ranked: false, model: MODEL });
    const text = captions.map((caption) => output.add(caption)).join("") + output.end();
    assert.deepEqual(parsePredictions(text, "p"), expected, format);
    const [first = ""] = format === "jsonl" ? text.split("\n") : [];
    if (format === "jsonl") assert.deepEqual(parsePredictions(first, "p"), expected.slice(0, 1));
  }
  refuses(() => parsePredictions('{"image":"a","text":"x"}\n{"image":', "p"), /p is not JSON/);
});

Deno.test("matchReferences() matches a path with a name or an id, if one image alone is meant", () => {
  const images = [{ id: 42, file_name: "COCO_val2014_000000000042.jpg" }, { id: 7, file_name: "7.jpg" }];
  const annotations = images.map(({ id }) => ({ image_id: id, caption: `of ${id}` }));
  const coco = parseReferences(JSON.stringify({ images, annotations }), "r.json");
  const paths = ["val2014/COCO_val2014_000000000042.jpg", "/data/7.jpg"];
  const predictions = paths.map((image) => ({ image, caption: image }));
  assert.deepEqual(matchReferences(predictions, coco).map(({ image, caption }) => [image, caption]), [
    ["42", paths[0]],
    ["7", paths[1]],
  ]);
  const lists = parseReferences('{"in/a.jpg": ["x"], "out/a.jpg": ["y"]}', "r.json");
  refuses(() => matchReferences([{ image: "/data/a.jpg", caption: "z" }], lists), /no references of '\/data\/a\.jpg'/);
  const one = parseReferences('{"a.jpg": ["x"]}', "r.json");
  const twice = ["in/a.jpg", "out/a.jpg"].map((image) => ({ image, caption: "x" }));
  refuses(() => matchReferences(twice, one), /no references of 'in\/a\.jpg', 'out\/a\.jpg'/);
});

Deno.test("predictions and references match across both forms of an accent, in names and words", () => {
  const predictions = parsePredictions('[{"image_id": "caf\u00e9.jpg", "caption": "a caf\u00e9"}]', "p.json");
  const references = parseReferences('{"cafe\u0301.jpg": ["a cafe\u0301"]}', "r.json");
  const [scored] = matchReferences(predictions, references);
  assert.deepEqual(scored, { image: "café.jpg", caption: "a café", references: ["a café"] });
});
