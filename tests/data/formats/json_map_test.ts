import assert from "node:assert/strict";
import { describeRejected } from "../../../src/data/formats/caption_rows.ts";
import { isJsonMap, parseJsonMap } from "../../../src/data/formats/json_map.ts";

Deno.test("parseJsonMap() reads texts, lists and kohya's entries by image", () => {
  const text = JSON.stringify({
    "a.jpg": "A kite .",
    "in/b.jpg": ["A boat .", "A red boat ."],
    "c": { tags: "cow, field", caption: "A cow ." },
  });
  assert.deepEqual(parseJsonMap(text, "x.json"), {
    rows: [
      { image: "a.jpg", caption: "A kite ." },
      { image: "in/b.jpg", caption: "A boat ." },
      { image: "in/b.jpg", caption: "A red boat ." },
      { image: "c", caption: "A cow ." },
    ],
    rejected: [],
  });
});

Deno.test("parseJsonMap() rejects entries without captions, and says which", () => {
  const text = JSON.stringify({ "a.jpg": [], "b.jpg": { tags: "x" }, "c.jpg": 1, "../d.jpg": "x", "e.jpg": null });
  assert.deepEqual(parseJsonMap(text, "x.json").rejected.map(describeRejected), [
    "x.json: entry 1 has no caption",
    "x.json: entry 2 has no caption",
    "x.json: entry 3 has a caption that is not text",
    "x.json: entry 4 has the image name '../d.jpg', which leads out of the images folder",
    "x.json: entry 5 has no caption",
  ]);
  assert.throws(() => parseJsonMap("[]", "x.json"), { name: "InputError", message: /x\.json is not valid/ });
});

Deno.test("isJsonMap() recognizes images as keys, and no other object", () => {
  for (const text of ['{"a.jpg": "x"', '{\n "in/b.PNG": [\n "x"', '{"a": {"caption": "x"}', '{"/x/a": {"tags": "x"']) {
    assert(isJsonMap(text), text);
  }
  for (const text of ['{"words": ["a"]}', '{"a.jpg": 1}', '{"a": "x"}', '{"0": ["cat"]}', '{"a": {"b": "c"}}', "{}"]) {
    assert(!isJsonMap(text), text);
  }
});
