import assert from "node:assert/strict";
import { join } from "node:path";
import golden from "../golden/tokenizer.json" with { type: "json" };
import { tokenize } from "../../src/pipeline/tokenizer.ts";
import { testData } from "../test_data.ts";

Deno.test("tokenize() gives NLTK's tokens of sentences written for the purpose", () => {
  assert.ok(golden.captions.length >= 150);
  for (const { caption, tokens } of golden.captions) {
    assert.deepEqual(tokenize(caption), tokens, JSON.stringify(caption));
  }
});

Deno.test({
  name: "tokenize() gives NLTK's tokens of real captions",
  ignore: testData === undefined,
  async fn() {
    const text = await Deno.readTextFile(join(testData ?? "", "tokens", "nltk_word_tokenize.json"));
    const captions: { caption: string; tokens: string[] }[] = JSON.parse(text);
    assert.ok(captions.length > 2000);
    for (const { caption, tokens } of captions) assert.deepEqual(tokenize(caption), tokens, caption);
  },
});

Deno.test("tokenize() reads 10,000 captions in under 2 seconds", () => {
  const started = performance.now();
  for (let index = 0; index < 10_000; index++) {
    tokenize(`Two men carry kite no. ${index} , and a boy's dog can't follow .`);
  }
  assert.ok(performance.now() - started < 2000);
});

Deno.test("tokenize() takes linear time on long runs", () => {
  const started = performance.now();
  tokenize(`dr.${" ".repeat(1e5)}x ${"'".repeat(1e5)} ${"-".repeat(1e5)}`);
  assert.ok(performance.now() - started < 5000);
});
