import assert from "node:assert/strict";
import { neglect } from "../../src/pipeline/neglect.ts";

const WELL = { epoch: 3, imageGap: 0.5, distinctShare: 0.6 };

Deno.test("neglect() says nothing of a model that looks at its photographs", () => {
  assert.equal(neglect(WELL, 100), undefined);
});

Deno.test("neglect() warns where nearly all photographs get the same captions, and says what to try", () => {
  const warning = neglect({ ...WELL, distinctShare: 0.01 }, 100);
  assert.match(warning ?? "", /^Warning: the model seems to ignore its photographs: 1\.0% .*--encoder-weights/);
});

Deno.test("neglect() warns where another photograph changes the loss no more", () => {
  assert.match(neglect({ ...WELL, imageGap: -0.001 }, 100) ?? "", /with another photograph the loss is -0\.001 higher/);
});

Deno.test("neglect() waits for the third epoch, and for enough photographs to judge by", () => {
  const bad = { imageGap: 0, distinctShare: 0 };
  assert.equal(neglect({ ...bad, epoch: 2 }, 100), undefined);
  assert.equal(neglect({ ...bad, epoch: 3 }, 39), undefined);
  assert.notEqual(neglect({ ...bad, epoch: 3 }, 40), undefined);
});
