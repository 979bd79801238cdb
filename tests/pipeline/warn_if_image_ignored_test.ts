import assert from "node:assert/strict";
import { warnIfImageIgnored } from "../../src/pipeline/warn_if_image_ignored.ts";

const WELL = { epoch: 3, mismatchedImageLossGap: 0.5, distinctFraction: 0.6 };
const CONTEXT = { examples: 100, recipe: { inject: "every" }, pretrained: true } as const;

Deno.test("warnIfImageIgnored() says nothing of a model that looks at its images", () => {
  assert.equal(warnIfImageIgnored(WELL, CONTEXT), undefined);
  assert.equal(warnIfImageIgnored({ ...WELL, epoch: 1 }, CONTEXT), undefined);
});

Deno.test("warnIfImageIgnored() warns where nearly all images get the same captions, and says what to try", () => {
  const warning = warnIfImageIgnored({ ...WELL, distinctFraction: 0.01 }, CONTEXT);
  assert.match(
    warning ?? "",
    /^Warning: the model ignores its images: 1\.0% .*; give it time, or try more photogr/,
  );
});

Deno.test("warnIfImageIgnored() warns where another image changes the loss no more", () => {
  assert.match(
    warnIfImageIgnored({ ...WELL, mismatchedImageLossGap: -0.001 }, CONTEXT) ?? "",
    /with another image the loss is 0\.001 lower/,
  );
});

Deno.test("warnIfImageIgnored() proposes nothing that the run has already", () => {
  const bad = { ...WELL, mismatchedImageLossGap: 0 };
  assert.doesNotMatch(warnIfImageIgnored(bad, CONTEXT) ?? "", /--encoder-weights|--inject/);
  const warning = warnIfImageIgnored(bad, { ...CONTEXT, recipe: { inject: "first" }, pretrained: false });
  assert.match(warning ?? "", /--encoder-weights, --inject every/);
});

Deno.test("warnIfImageIgnored() says in the first two epochs that it is common", () => {
  const bad = { mismatchedImageLossGap: 0, distinctFraction: 0 };
  assert.match(warnIfImageIgnored({ ...bad, epoch: 2 }, CONTEXT) ?? "", /so far, which is common/);
  assert.doesNotMatch(warnIfImageIgnored({ ...bad, epoch: 3 }, CONTEXT) ?? "", /common/);
});

Deno.test("warnIfImageIgnored() counts distinct captions from forty images on, and the gap from two", () => {
  const alike = { ...WELL, distinctFraction: 0 };
  assert.equal(warnIfImageIgnored(alike, { ...CONTEXT, examples: 39 }), undefined);
  assert.notEqual(warnIfImageIgnored(alike, { ...CONTEXT, examples: 40 }), undefined);
  const blind = { ...WELL, mismatchedImageLossGap: 0 };
  assert.equal(warnIfImageIgnored(blind, { ...CONTEXT, examples: 1 }), undefined);
  assert.notEqual(warnIfImageIgnored(blind, { ...CONTEXT, examples: 2 }), undefined);
});
