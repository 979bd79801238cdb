import assert from "node:assert/strict";
import fc from "fast-check";
import { unicodeTokens } from "../../src/text/unicode_tokenizer.ts";

Deno.test("unicodeTokens() finds words, numbers and punctuation marks, and lower-cases them", () => {
  const captions: [string, string][] = [
    ["A man's dog ISN'T red.", "a man's dog isn't red ."],
    ["At 10:30 it costs $3.50, or 1,000?", "at 10 : 30 it costs $ 3.50 , or 1,000 ?"],
    ['a well-known "sign" (red)...', 'a well - known " sign " ( red ) . . .'],
    ["the dogs' bowls", "the dogs ' bowls"],
    ["Ein Mädchen läßt ÖLE übrig", "ein mädchen läßt öle übrig"],
    ["Ça va à l’école", "ça va à l’école"],
    ["Девочка с собакой — друг", "девочка с собакой — друг"],
    ["فتاة تطير طائرة ورقية، وكلب يركض؟", "فتاة تطير طائرة ورقية ، وكلب يركض ؟"],
    ["한 소녀가 공원에서 연을 날린다.", "한 소녀가 공원에서 연을 날린다 ."],
    ["a ❤️ and 👨‍👩‍👧 in 🇯🇵", "a ❤️ and 👨‍👩‍👧 in 🇯🇵"],
  ];
  for (const [caption, tokens] of captions) assert.equal(unicodeTokens(caption).join(" "), tokens);
});

Deno.test("unicodeTokens() splits Japanese, Chinese and Thai into words", () => {
  assert.deepEqual(unicodeTokens("赤い傘と犬。"), ["赤い", "傘", "と", "犬", "。"]);
  assert.deepEqual(unicodeTokens("一个女孩在公园里"), ["一个", "女孩", "在", "公园", "里"]);
  assert.deepEqual(unicodeTokens("เด็กเล่นว่าวในสวน"), ["เด็ก", "เล่น", "ว่าว", "ใน", "สวน"]);
});

Deno.test("unicodeTokens() gives no token for white space, controls and marks without width", () => {
  for (
    const blank of ["", " ", "\t\r\n", "\u00a0\u2003\u3000\u202f\u2028", "\0\x07\x1f\x85", "\u200b\ufeff", "\u200d"]
  ) {
    assert.deepEqual(unicodeTokens(blank), [], JSON.stringify(blank));
    assert.deepEqual(unicodeTokens(`a ${blank} b`), ["a", "b"], JSON.stringify(blank));
  }
});

Deno.test("unicodeTokens() gives the same tokens for both ways to write an accent, and none contains a space", () => {
  assert.deepEqual(unicodeTokens("Cafe\u0301"), ["caf\u00e9"]);
  const texts = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
  fc.assert(fc.property(texts, (text) => {
    const tokens = unicodeTokens(text);
    assert.deepEqual(unicodeTokens(text.normalize("NFD")), tokens);
    for (const token of tokens) assert.match(token, /^[^\p{White_Space}]+$/u);
  }));
});

Deno.test("unicodeTokens() loses no letter and no number", () => {
  const letters = (text: string) => text.match(/[\p{L}\p{N}]/gu)?.join("") ?? "";
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    assert.equal(letters(unicodeTokens(text).join("")), letters(text.toLowerCase().normalize("NFC")));
  }));
});
