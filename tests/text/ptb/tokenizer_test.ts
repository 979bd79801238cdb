import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { MAX_CAPTION_LENGTH, ptbTokenize } from "../../../src/text/ptb/tokenizer.ts";
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

Deno.test("ptbTokenize() refuses a caption that is too long, and names its length", () => {
  assert.equal(ptbTokenize("a ".repeat(MAX_CAPTION_LENGTH / 2)).length, MAX_CAPTION_LENGTH / 2);
  assert.throws(() => ptbTokenize("dog\n".repeat(2501)), {
    name: "InputError",
    message: `Cannot tokenize '${"dog\\n".repeat(20)}...': it has 10004 characters, at most 10000 are allowed; ` +
      "shorten the caption",
  });
});

Deno.test("ptbTokenize() ends on a caption of the greatest length, whatever it repeats", () => {
  const units = [
    "a",
    "1",
    "a,",
    "a. ",
    "Z.  ",
    "'",
    "don't",
    "1,",
    "1/",
    "(",
    "-",
    "a-",
    "&eacute;",
    "<",
    "<a ",
    "<!a",
    "<a b='",
    "http://a",
    "www.a.",
    "a@",
    "a.b@c.d",
    "...",
    ". ",
    "etc. <a b='",
    "\u{1f415}",
    "\u00e9",
  ];
  // If a rule took exponential time, this would not end.
  for (const unit of units) ptbTokenize(`${unit.repeat((MAX_CAPTION_LENGTH - 10) / unit.length)}x`);
});
