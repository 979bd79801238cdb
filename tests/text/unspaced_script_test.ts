import assert from "node:assert/strict";
import { tokenize } from "../../src/text/tokenizer.ts";
import { unsplitFraction } from "../../src/text/unspaced_script.ts";

const fraction = (...captions: string[]) => unsplitFraction(captions.map(tokenize));

Deno.test("unsplitFraction() finds sentences that are one token", () => {
  assert.equal(fraction("一个女孩在公园里放风筝。", "เด็กเล่นว่าวในสวน"), 1);
  assert.equal(fraction("a girl with a kite", "赤い傘を持った女の子が犬と歩いている。", "two dogs", "a cat"), 0.25);
});

Deno.test("unsplitFraction() is 0 for words with spaces between them, in any script", () => {
  assert.equal(fraction("一个 女孩 在 公园 里 放 风筝 。", "赤い 傘 を 持った 女の子"), 0);
  assert.equal(fraction("한 소녀가 공원에서 연을 날린다.", "девочка с собакой", "a girl", "فتاة تطير طائرة ورقية"), 0);
  assert.equal(fraction("a sign that says 出口 in red"), 0);
  assert.equal(unsplitFraction([]), 0);
});
