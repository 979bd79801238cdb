import assert from "node:assert/strict";
import { bleu } from "../../src/evaluation/bleu.ts";
import golden from "../golden/scores.json" with { type: "json" };
import { captionsOf } from "./scored_captions.ts";

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
    const result = bleu(captionsOf(candidates, references));
    assertClose(result.corpus, corpus, "the corpus");
    for (const [index, expected] of (captions ?? []).entries()) {
      assertClose(result.captions[index] ?? [], expected, `'${candidates[index]}'`);
    }
  });
}

Deno.test("bleu() is 1 for a caption equal to its reference, and 0 for an empty one", () => {
  const words = "one kite over two green hills";
  assertClose(bleu(captionsOf([words], [[words]])).corpus, [1, 1, 1, 1], "the same");
  assertClose(bleu(captionsOf([""], [[words]])).corpus, [0, 0, 0, 0], "no word");
  assertClose(bleu([]).corpus, [0, 0, 0, 0], "no caption");
});

Deno.test("bleu() refuses candidates without references", () => {
  assert.throws(() => bleu(captionsOf(["a"], [[]])), RangeError);
});
