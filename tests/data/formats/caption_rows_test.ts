import assert from "node:assert/strict";
import { CaptionRows, describeRejected } from "../../../src/data/formats/caption_rows.ts";

function add(...values: unknown[]) {
  const rows = new CaptionRows("c.csv");
  rows.addAll("a.jpg", values, 7);
  return { captions: rows.rows.map(({ caption }) => caption), rejected: rows.rejected.map(describeRejected) };
}

Deno.test("CaptionRows skips missing captions among others, and rejects a row that has no other", () => {
  assert.deepEqual(add("A kite .", "", null, "nan"), { captions: ["A kite ."], rejected: [] });
  for (const values of [[], [""], [null, undefined], [" \u200b"], ["[]"]]) {
    assert.deepEqual(add(...values), { captions: [], rejected: ["line 7 of c.csv has no caption"] });
  }
  for (const value of ["nan", "NaN", " None ", "null", "N/A", "<NA>"]) {
    assert.deepEqual(add(value), {
      captions: [],
      rejected: [`line 7 of c.csv has no caption: '${value.trim()}' stands for a missing value`],
    });
  }
  assert.deepEqual(add("None of the dogs bark .").rejected, []);
});

Deno.test("CaptionRows rejects what is not text, and keeps the captions beside it", () => {
  for (const value of [7, true, {}, NaN]) {
    assert.deepEqual(add("A kite .", value), {
      captions: ["A kite ."],
      rejected: ["line 7 of c.csv has a caption that is not text"],
    });
  }
});

Deno.test("CaptionRows never takes the brackets of a list for words", () => {
  assert.deepEqual(add("['A kite .', 'A boat .']", '["A cow .", ""]').captions, ["A kite .", "A boat .", "A cow ."]);
  for (const value of ["{'raw': 'A kite .'}", '["[\\"A kite .\\"]"]']) {
    assert.deepEqual(add(value), {
      captions: [],
      rejected: ["line 7 of c.csv has a list or an object that cannot be read as captions"],
    });
  }
});

Deno.test("CaptionRows writes both forms of an accent as one", () => {
  assert.deepEqual(add("caf\u00e9", "cafe\u0301").captions, ["café", "café"]);
});
