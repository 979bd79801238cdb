import assert from "node:assert/strict";
import { join } from "node:path";
import { matchReferences, parsePredictions, parseReferences } from "../../src/evaluation/coco_files.ts";
import { bleu } from "../../src/evaluation/bleu.ts";
import { ciderD } from "../../src/evaluation/cider.ts";
import { rougeL } from "../../src/evaluation/rouge_l.ts";
import { scoreCaptions, type Scores, tokenizeCaptions } from "../../src/evaluation/score_captions.ts";
import golden from "../golden/score_captions.json" with { type: "json" };
import { testData } from "../support/test_data.ts";

const NAMES = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"] as const;

function assertScores(actual: Scores | undefined, expected: Readonly<Record<string, number>>, about: string): void {
  for (const name of NAMES) {
    const [ours = NaN, theirs = NaN] = [actual?.[name], expected[name]];
    assert(Math.abs(ours - theirs) < 1e-9, `${name} of ${about} is ${ours}, not ${theirs}`);
  }
}

Deno.test("scoreCaptions() gives pycocoevalcap's scores of human captions, for the corpus and for each", () => {
  const { corpus, captions } = scoreCaptions(tokenizeCaptions(golden.captions));
  assertScores(corpus, golden.corpus, "all");
  for (const [index, { image }] of golden.captions.entries()) {
    assertScores(captions[index], golden.perImage[index] ?? {}, image);
  }
});

Deno.test("scores refuse what a program without types may pass, and say what they need", () => {
  const tokens = ["a", "dog"];
  const wrong: [unknown, RegExp][] = [
    [undefined, /^TypeError: .* a list of \{caption, references\} in tokens is needed/],
    [tokens, /^TypeError: .* captions\[0\] must be an object \{caption, references\}/],
    [[{ caption: tokens }], /^TypeError: .* captions\[0\] must be an object/],
    [
      [{ caption: "a dog", references: [tokens] }],
      /^TypeError: .* the caption of captions\[0\] .* tokenizeCaptions\(\)/,
    ],
    [
      [{ caption: tokens, references: tokens }],
      /^TypeError: .* the references of captions\[0\] must be lists of tokens/,
    ],
    [[{ caption: tokens, references: [] }], /^RangeError: .* captions\[0\] has no reference/],
  ];
  for (const [captions, message] of wrong) {
    for (const score of [bleu, rougeL, ciderD, scoreCaptions]) {
      // deno-lint-ignore no-explicit-any -- what JavaScript passes has no type
      assert.throws(() => score(captions as any), message, score.name);
    }
  }
  const untyped = [{ caption: "a", references: "a" }];
  // deno-lint-ignore no-explicit-any -- likewise
  assert.throws(() => tokenizeCaptions(untyped as any), /^TypeError: .* captions\[0\] must be an object/);
});

Deno.test({
  name: "scoreCaptions() gives pycocoevalcap's scores of a captioner's 1,000 captions, each image's CIDEr too",
  ignore: testData === undefined,
  async fn() {
    const read = (name: string) => Deno.readTextFile(join(testData ?? "", "metrics", `nic_validation_${name}.json`));
    const predictions = parsePredictions(await read("predictions"), "predictions.json");
    const references = parseReferences(await read("references"), "references.json");
    const matched = matchReferences(predictions, references);
    const { corpus, captions } = scoreCaptions(tokenizeCaptions(matched));
    const oracle = JSON.parse(await read("oracle"));
    assertScores(corpus, oracle.overall, "all");
    assert.equal(matched.length, 1000);
    for (const [index, { image }] of matched.entries()) {
      assert(Math.abs((captions[index]?.CIDEr ?? NaN) - oracle.cider_per_image[image]) < 1e-6, image);
    }
  },
});
