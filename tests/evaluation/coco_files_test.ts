import assert from "node:assert/strict";
import { matchReferences, parsePredictions, parseReferences } from "../../src/evaluation/coco_files.ts";
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
  assert.deepEqual(Object.fromEntries(parseReferences(JSON.stringify(lists), "r.json")), lists);
  const annotations = [[7, "one"], [8, "three"], [7, "two"]].map(([image_id, caption]) => ({ image_id, caption }));
  const coco = parseReferences(JSON.stringify({ images: [], annotations }), "r.json");
  assert.deepEqual([...coco], [["7", ["one", "two"]], ["8", ["three"]]]);
  refuses(() => parseReferences('{"a": []}', "r.json"), /^Cannot read references: r\.json .*; it must be \{"image"/);
  refuses(() => parseReferences("[1]", "r.json"), /^Cannot read references/);
});

Deno.test("matchReferences() returns pairs in the references' order, and names images that have one without the other", () => {
  const references = new Map([["a", ["x"]], ["b", ["y"]]]);
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
