import assert from "node:assert/strict";
import { bleu } from "../../src/evaluation/bleu.ts";
import golden from "../golden/scores.json" with { type: "json" };

function tokens(sentence: string): string[] {
  return sentence === "" ? [] : sentence.split(" ");
}

function assertClose(actual: readonly number[], expected: readonly number[], about: string): void {
  assert.equal(actual.length, expected.length);
  for (const [index, score] of actual.entries()) {
    const other = expected[index] ?? NaN;
    assert.ok(Math.abs(score - other) < 1e-9, `BLEU-${index + 1} of ${about}: ${score}, not ${other}`);
  }
}

for (const { candidates, references, bleu: { corpus, captions } } of golden.corpora) {
  const about = candidates.length === 1 ? `'${candidates[0]}'` : `${candidates.length} captions`;
  Deno.test(`bleu() is pycocoevalcap's: ${about}, references '${references[0]?.join("', '")}'`, () => {
    const result = bleu(candidates.map(tokens), references.map((sentences) => sentences.map(tokens)));
    assertClose(result.corpus, corpus, "the corpus");
    for (const [index, expected] of (captions ?? []).entries()) {
      assertClose(result.captions[index] ?? [], expected, `'${candidates[index]}'`);
    }
  });
}

Deno.test("bleu() is 1 for a caption equal to its reference, and 0 for an empty one", () => {
  const words = tokens("one kite over two green hills");
  assertClose(bleu([words], [[words]]).corpus, [1, 1, 1, 1], "the same");
  assertClose(bleu([[]], [[words]]).corpus, [0, 0, 0, 0], "no word");
  assertClose(bleu([], []).corpus, [0, 0, 0, 0], "no caption");
});

Deno.test("bleu() refuses candidates without references", () => {
  assert.throws(() => bleu([["a"]], []), RangeError);
  assert.throws(() => bleu([["a"]], [[]]), RangeError);
});

Deno.test("bleu() takes linear time: 1,000 captions with 5 references each take well under a second", () => {
  const caption = (seed: number) => Array.from({ length: 11 }, (_, index) => `w${(seed * 7 + index * index) % 97}`);
  const images = Array.from({ length: 1000 }, (_, index) => index);
  const start = performance.now();
  bleu(images.map(caption), images.map((image) => [1, 2, 3, 4, 5].map((other) => caption(image + other))));
  assert.ok(performance.now() - start < 1000);
});
