import assert from "node:assert/strict";
import { listedCaptions } from "../../../src/data/formats/caption_list.ts";

Deno.test("listedCaptions() reads the lists of JSON, Python and NumPy", () => {
  const lists: [string, string[]][] = [
    ['["A kite .", "A \\"red\\" kite ."]', ["A kite .", 'A "red" kite .']],
    [`['A kite .', "A kite's tail ."]`, ["A kite .", "A kite's tail ."]],
    [String.raw`['A kite\'s tail .', 'caf\xe9', 'two\nlines', u'\u51e7']`, [
      "A kite's tail .",
      "café",
      "two\nlines",
      "凧",
    ]],
    ["['A kite .' 'A boat .'\n 'A cow .']", ["A kite .", "A boat .", "A cow ."]],
    ["array(['A kite .', 'A boat .'], dtype=object)", ["A kite .", "A boat ."]],
    ["('A kite .', 'A boat .')", ["A kite .", "A boat ."]],
    [" {'A kite .',}\n", ["A kite ."]],
    ['["A kite .", null]', ["A kite ."]],
    ["['A kite .', None, nan]", ["A kite ."]],
    ["[]", []],
  ];
  for (const [field, captions] of lists) assert.deepEqual(listedCaptions(field), captions, field);
});

Deno.test("listedCaptions() leaves captions alone that have brackets and quotes", () => {
  const captions = [
    "A kite [red] .",
    "[red] A kite .",
    '"A kite"',
    "('A kite') flies .",
    '("Stop" is on the sign)',
    '["Stop"] is on the sign',
    "{x} in braces",
    "[A kite]",
    "[ '",
  ];
  for (const caption of captions) assert.equal(listedCaptions(caption), undefined, caption);
});

Deno.test("listedCaptions() says that other structures cannot be read, in little time", () => {
  const fields = ['{"raw": "A kite ."}', "[{'raw': 'A kite .'}]", "[1, 2]", '[["A kite ."], ["A boat ."]]', "[b'x']"];
  for (const field of fields) assert.equal(listedCaptions(field), "unreadable", field);
  assert.equal(listedCaptions(`['x'${"  ,  'x'".repeat(20_000)} x]`), "unreadable");
});
