import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { detokenize } from "../../src/text/detokenize.ts";
import { tokenizerOf, TOKENIZERS } from "../../src/text/tokenizer.ts";
import { testData } from "../support/test_data.ts";
import { ENGLISH_CAPTIONS } from "../captioning/english_captions.ts";

function assertReads(sentences: readonly [tokens: string, text: string][], tokenizer?: "nltk" | "unicode"): void {
  for (const [tokens, text] of sentences) {
    assert.equal(detokenize(tokens === "" ? [] : tokens.split(" "), { tokenizer }), text);
  }
}

Deno.test("detokenize() puts spaces where English has them", () => {
  assertReads([
    ["", ""],
    ["kite", "kite"],
    ["a kite , a boat and a fox .", "a kite, a boat and a fox."],
    ["a man 's dog does n't bark .", "a man's dog doesn't bark."],
    ["a kite ( red ) flies ; a [ blue ] one rests", "a kite (red) flies; a [blue] one rests"],
    ["half a % ... or more ?", "half a%... or more?"],
    ["wait .. what ! ?", "wait.. what!?"],
  ]);
});

Deno.test("detokenize() makes words whole that NLTK cuts", () => {
  assertReads([
    ["i can not stay", "i cannot stay"],
    ["he 's gon na jump , she 's got ta swim", "he's gonna jump, she's gotta swim"],
    ["they wan na go , gim me that , lem me see", "they wanna go, gimme that, lemme see"],
    ["d 'ye see more 'n that", "d'ye see more'n that"],
    ["'t is so and 't was so", "'tis so and 'twas so"],
    ["the u.s .", "the u.s."],
  ]);
  assertReads([["we can not stay", "we can not stay"]], "unicode");
});

Deno.test("detokenize() attaches quotation marks to the quoted words", () => {
  assertReads([
    ["a sign says `` stop '' .", 'a sign says "stop".'],
    ["a sign says `` stop . ''", 'a sign says "stop."'],
    ["`` go on , '' he says", '"go on," he says'],
    // What NLTK makes of quotation marks between spaces.
    ["a sign says `` stop `` and `` go `` .", 'a sign says "stop" and "go".'],
    ["12 '' of snow", '12" of snow'],
    ["a ' k ' on a cap", "a 'k' on a cap"],
    ["a board that says ' fresh fish '", "a board that says 'fresh fish'"],
    ["a slip 'n ' slide", "a slip 'n' slide"],
    ["the dogs ' bowls and the ' 90s", "the dogs' bowls and the '90s"],
    ["the artist ’ s “ hat ” doesn ’ t fit", "the artist’s “hat” doesn’t fit"],
    ["„ low “ and « french » and ‘ one ’", "„low“ and «french» and ‘one’"],
  ]);
  assertReads([
    ['a " red " one ( " blue " ) .', 'a "red" one ("blue").'],
    ['12 " of snow', '12" of snow'],
    ["the dogs ' bowls", "the dogs' bowls"],
  ], "unicode");
});

Deno.test("detokenize() joins numbers with their signs and units", () => {
  assertReads([
    ["it costs $ 5 , or 10 % less , or € 4", "it costs $5, or 10% less, or €4"],
    ["player # 1 at 10:30", "player #1 at 10:30"],
    ["at 7 : 05 , not 25 : 1", "at 7:05, not 25: 1"],
    ["pages 5 – 10 – or more", "pages 5–10 – or more"],
  ]);
  assertReads([["10 : 30 , $ 5 , 50 % , 5 € , £ 4", "10:30, $5, 50%, 5 €, £4"]], "unicode");
});

Deno.test("detokenize() joins words at hyphens and slashes where the tokenizer cuts them", () => {
  assertReads([["a dog - a cat / a fox -- all three", "a dog - a cat / a fox -- all three"]]);
  assertReads([
    ["a well - known black - and - white dog", "a well-known black-and-white dog"],
    ["mother / daughter and / or son", "mother/daughter and/or son"],
    ["- a list", "- a list"],
    ["the u . s . team at 6 a . m .", "the u.s. team at 6 a.m."],
  ], "unicode");
});

Deno.test("detokenize() puts no spaces between Japanese, Chinese and Thai words, but between others", () => {
  assertReads([
    [
      "赤い 傘 を 持っ た 女の子 が t シャツ で 3 匹 の 犬 と いる 。",
      "赤い傘を持った女の子がtシャツで3匹の犬といる。",
    ],
    ["一个 女孩 （ 红色 ） 在 公园 里 ， 很 高兴 ！", "一个女孩（红色）在公园里，很高兴！"],
    ["เด็ก เล่น ว่าว กับ dog 3 ตัว", "เด็กเล่นว่าวกับ dog 3 ตัว"],
    ["한 소녀가 tv 앞 에서 2 마리 개를 본다 .", "한 소녀가 tv 앞 에서 2마리 개를 본다."],
    ["한자 漢字 와 犬 사진", "한자 漢字 와 犬 사진"],
    ["فتاة تطير طائرة ، وكلب يركض ؟", "فتاة تطير طائرة، وكلب يركض؟"],
    ["une fille à l’école , ¿ qué ?", "une fille à l’école, ¿qué?"],
    ["собака — друг !", "собака — друг!"],
  ], "unicode");
});

Deno.test("detokenize() undoes each tokenizer on captions of ordinary English", () => {
  assert.ok(ENGLISH_CAPTIONS.length >= 60);
  for (const tokenizer of TOKENIZERS) {
    for (const caption of ENGLISH_CAPTIONS) {
      assert.equal(detokenize(tokenizerOf(tokenizer)(caption), { tokenizer }), caption, tokenizer);
    }
  }
});

Deno.test("detokenize() undoes each tokenizer on any words with commas and full stops", () => {
  const words = [
    "a",
    "dog",
    "isn't",
    "red",
    "girls'",
    "kites",
    "(one)",
    "x-ray",
    "10:30",
    "$5",
    "10%",
    "#7",
    '"stop"',
    "cannot",
  ];
  const sentence = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 });
  fc.assert(fc.property(fc.array(sentence, { minLength: 1, maxLength: 3 }), (sentences) => {
    for (const tokenizer of TOKENIZERS) {
      const tokens = tokenizerOf(tokenizer)(sentences.map((words) => `${words.join(" ")}, sees it.`).join(" "));
      assert.deepEqual(tokenizerOf(tokenizer)(detokenize(tokens, { tokenizer })), tokens);
    }
  }));
});

Deno.test("detokenize() keeps every character of any tokens", () => {
  const token = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("'", "``", '"', "„", "“", "’", "-", ".", "犬"),
  );
  fc.assert(fc.property(fc.array(token), fc.constantFrom(...TOKENIZERS), (tokens, tokenizer) => {
    const expected = tokens.map((token) => token === "``" || token === "''" ? '"' : token).join("");
    assert.equal(detokenize(tokens, { tokenizer }).replaceAll(" ", ""), expected.replaceAll(" ", ""));
  }));
});

Deno.test({
  name: "detokenize() undoes each tokenizer on 99% of real captions, and on nearly all that quote nothing",
  ignore: testData === undefined,
  async fn() {
    const text = await Deno.readTextFile(join(testData ?? "", "flickr8k-text", "Flickr8k.token.txt"));
    const captions = text.split("\n").flatMap((line) => line.split("\t")[1] ?? []);
    assert.ok(captions.length > 40_000);
    for (const tokenizer of TOKENIZERS) {
      const tokenize = tokenizerOf(tokenizer);
      const changed = captions.filter((caption) => {
        const tokens = tokenize(caption);
        return tokenize(detokenize(tokens, { tokenizer })).join(" ") !== tokens.join(" ");
      });
      assert.ok(changed.length < captions.length / 100, tokenizer);
      assert.ok(changed.filter((caption) => !caption.includes('"')).length < 10, tokenizer);
    }
  },
});
