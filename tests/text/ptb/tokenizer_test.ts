import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { ptbTokenize } from "../../../src/text/ptb/tokenizer.ts";
import golden from "../../golden/ptb_tokens.json" with { type: "json" };
import { testData } from "../../support/test_data.ts";

const ignore = testData === undefined;

async function readJson<T>(...path: string[]): Promise<T> {
  return JSON.parse(await Deno.readTextFile(join(testData ?? "", ...path)));
}

Deno.test("ptbTokenize() gives pycocoevalcap's tokens of sentences written for the purpose", () => {
  assert.ok(golden.captions.length >= 150);
  for (const { caption, tokens } of golden.captions) {
    assert.deepEqual(ptbTokenize(caption), tokens, JSON.stringify(caption));
  }
});

Deno.test({
  name: "ptbTokenize() gives pycocoevalcap's tokens of real captions, unusual ones among them",
  ignore,
  async fn() {
    const captions = await readJson<{ caption: string; tokens: string[] }[]>("tokens", "ptb_tokenize.json");
    assert.ok(captions.length > 400);
    for (const { caption, tokens } of captions) assert.deepEqual(ptbTokenize(caption), tokens, caption);
  },
});

Deno.test({
  name: "ptbTokenize() gives pycocoevalcap's tokens of 1,000 predictions and their 5,000 references",
  ignore,
  async fn() {
    const { ptb_tokens } = await readJson<{ ptb_tokens: Record<string, { prediction: string; references: string[] }> }>(
      "metrics",
      "nic_validation_oracle.json",
    );
    const references = await readJson<Record<string, string[]>>("metrics", "nic_validation_references.json");
    const predictions = await readJson<{ image_id: string; caption: string }[]>(
      "metrics",
      "nic_validation_predictions.json",
    );
    assert.equal(predictions.length, 1000);
    for (const { image_id: id, caption } of predictions) {
      const expected = ptb_tokens[id];
      assert.equal(ptbTokenize(caption).join(" "), expected?.prediction);
      assert.deepEqual(references[id]?.map((reference) => ptbTokenize(reference).join(" ")), expected?.references);
    }
  },
});

Deno.test("ptbTokenize() returns no token for text without a word", () => {
  for (const caption of ["", " ", "\n", "...", "?", " . , ; ", "\u{1f415}", "\ud83d"]) {
    assert.deepEqual(ptbTokenize(caption), []);
  }
});

Deno.test("ptbTokenize() takes a line's end within a caption for a space", () => {
  for (const end of ["\n", "\r\n", "\r", "\u2028", "\u0085"]) {
    assert.deepEqual(ptbTokenize(`One kite.${end}Two goats.${end}`), ["one", "kite", "two", "goats"]);
  }
});

Deno.test("ptbTokenize() gives small, unbroken tokens and no punctuation, of any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (caption) => {
    for (const token of ptbTokenize(caption)) {
      assert.match(token, /^[^ \n]+$/);
      assert.equal(token, token.toLowerCase());
      assert.doesNotMatch(token, /^(?:[.?!,:;'`-]|''|``|--|\.\.\.)$/);
    }
  }));
});

Deno.test("ptbTokenize() reads 6,000 captions in well under a second", () => {
  const started = performance.now();
  for (let index = 0; index < 6000; index++) {
    ptbTokenize(`Two men carry kite no. ${index} , and a boy's dog can't follow "the red one" over the hill .`);
  }
  assert.ok(performance.now() - started < 900); // a sixth of that on a machine that does nothing else
});

Deno.test("ptbTokenize() takes linear time on a caption of 200,000 characters, whatever it repeats", () => {
  const units = [
    "a",
    "a,",
    "a. ",
    "Z.  ",
    "'",
    "don't",
    "1,",
    "1/",
    "(",
    "a-",
    "&eacute;",
    "<",
    "<a ",
    "<!a",
    "<a b='",
  ];
  for (
    const unit of [...units, "http://a", "www.a.", "a@", "a.b@c.d", "...", ". ", "etc. <a b='", "\u{1f415}", "\u00e9"]
  ) {
    const started = performance.now();
    ptbTokenize(unit.repeat(2e5 / unit.length));
    // Quadratic time would be a minute.
    assert.ok(performance.now() - started < 3000, unit);
  }
});
