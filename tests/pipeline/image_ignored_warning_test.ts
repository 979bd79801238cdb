import assert from "node:assert/strict";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import type { TrainingContext } from "../../src/pipeline/training_context.ts";
import { renderedExamples } from "../support/drawn_data.ts";
import { imageIgnoredWarning } from "../../src/pipeline/image_ignored_warning.ts";

const WELL = { epoch: 3, mismatchedImageLossGap: 0.5, distinctFraction: 0.6 };

/** A training that validates on some images. */
function contextOf(images: number, changes: Partial<Pick<TrainingContext, "recipe" | "pretrained">> = {}) {
  const validation = renderedExamples(images).map((example) => ({ example, captions: [] }));
  return { recipe: makeRecipe("lrcn"), pretrained: true, splits: { train: [], validation }, ...changes };
}

const CONTEXT = contextOf(100);

Deno.test("imageIgnoredWarning() says nothing of a model that looks at its images", () => {
  assert.equal(imageIgnoredWarning(WELL, CONTEXT), undefined);
  assert.equal(imageIgnoredWarning({ ...WELL, epoch: 1 }, CONTEXT), undefined);
});

Deno.test("imageIgnoredWarning() warns where nearly all images get the same captions, and says what to try", () => {
  const warning = imageIgnoredWarning({ ...WELL, distinctFraction: 0.01 }, CONTEXT);
  assert.match(
    warning ?? "",
    /^Warning: the model ignores its images: 1\.0% .*; give it time, or try more images/,
  );
});

Deno.test("imageIgnoredWarning() warns where another image changes the loss no more", () => {
  assert.match(
    imageIgnoredWarning({ ...WELL, mismatchedImageLossGap: -0.001 }, CONTEXT) ?? "",
    /with mismatched images the loss is 0\.001 lower/,
  );
});

Deno.test("imageIgnoredWarning() proposes nothing that the run has already", () => {
  const bad = { ...WELL, mismatchedImageLossGap: 0 };
  assert.doesNotMatch(imageIgnoredWarning(bad, CONTEXT) ?? "", /--encoder-weights|--inject/);
  const warning = imageIgnoredWarning(
    bad,
    contextOf(100, { recipe: makeRecipe("lrcn", { inject: "first" }), pretrained: false }),
  );
  assert.match(warning ?? "", /--encoder-weights, --inject every/);
});

Deno.test("imageIgnoredWarning() says in the first two epochs that it is common", () => {
  const bad = { mismatchedImageLossGap: 0, distinctFraction: 0 };
  assert.match(imageIgnoredWarning({ ...bad, epoch: 2 }, CONTEXT) ?? "", /so far, which is common/);
  assert.doesNotMatch(imageIgnoredWarning({ ...bad, epoch: 3 }, CONTEXT) ?? "", /common/);
});

Deno.test("imageIgnoredWarning() counts distinct captions from forty images on, and the gap from two", () => {
  const alike = { ...WELL, distinctFraction: 0 };
  assert.equal(imageIgnoredWarning(alike, contextOf(39)), undefined);
  assert.notEqual(imageIgnoredWarning(alike, contextOf(40)), undefined);
  const blind = { ...WELL, mismatchedImageLossGap: 0 };
  assert.equal(imageIgnoredWarning(blind, contextOf(1)), undefined);
  assert.notEqual(imageIgnoredWarning(blind, contextOf(2)), undefined);
});
