import assert from "node:assert/strict";
import { neglect } from "../../src/pipeline/neglect.ts";

const WELL = { epoch: 3, imageGap: 0.5, distinctShare: 0.6 };
const CONTEXT = { photographs: 100, recipe: { inject: "every" }, pretrained: true } as const;

Deno.test("neglect() says nothing of a model that looks at its photographs", () => {
  assert.equal(neglect(WELL, CONTEXT), undefined);
  assert.equal(neglect({ ...WELL, epoch: 1 }, CONTEXT), undefined);
});

Deno.test("neglect() warns where nearly all photographs get the same captions, and says what to try", () => {
  const warning = neglect({ ...WELL, distinctShare: 0.01 }, CONTEXT);
  assert.match(
    warning ?? "",
    /^Warning: the model ignores its photographs: 1\.0% .*; give it time, or try more photogr/,
  );
});

Deno.test("neglect() warns where another photograph changes the loss no more", () => {
  assert.match(
    neglect({ ...WELL, imageGap: -0.001 }, CONTEXT) ?? "",
    /with another photograph the loss is 0\.001 lower/,
  );
});

Deno.test("neglect() proposes nothing that the run has already", () => {
  const bad = { ...WELL, imageGap: 0 };
  assert.doesNotMatch(neglect(bad, CONTEXT) ?? "", /--encoder-weights|--inject/);
  const warning = neglect(bad, { ...CONTEXT, recipe: { inject: "first" }, pretrained: false });
  assert.match(warning ?? "", /--encoder-weights, --inject every/);
});

Deno.test("neglect() says in the first two epochs that it is common", () => {
  const bad = { imageGap: 0, distinctShare: 0 };
  assert.match(neglect({ ...bad, epoch: 2 }, CONTEXT) ?? "", /so far, which is common/);
  assert.doesNotMatch(neglect({ ...bad, epoch: 3 }, CONTEXT) ?? "", /common/);
});

Deno.test("neglect() counts distinct captions from forty photographs on, and the gap from two", () => {
  const alike = { ...WELL, distinctShare: 0 };
  assert.equal(neglect(alike, { ...CONTEXT, photographs: 39 }), undefined);
  assert.notEqual(neglect(alike, { ...CONTEXT, photographs: 40 }), undefined);
  const blind = { ...WELL, imageGap: 0 };
  assert.equal(neglect(blind, { ...CONTEXT, photographs: 1 }), undefined);
  assert.notEqual(neglect(blind, { ...CONTEXT, photographs: 2 }), undefined);
});
