import assert from "node:assert/strict";
import { type EpochPlanOptions, frozenAugmentation, planEpoch } from "../../src/pipeline/epoch_loader.ts";

const OPTIONS: EpochPlanOptions = { seed: 1, epoch: 1, augmentation: "none", margin: 32 };

Deno.test("planEpoch() goes through each example once, in an order that seed and epoch decide", () => {
  const { order } = planEpoch(50, OPTIONS);
  assert.deepEqual(order.toSorted((a, b) => a - b), [...Array(50).keys()]);
  assert.deepEqual(planEpoch(50, OPTIONS).order, order);
  assert.notDeepEqual(planEpoch(50, { ...OPTIONS, epoch: 2 }).order, order);
  assert.notDeepEqual(planEpoch(50, { ...OPTIONS, seed: 2 }).order, order);
});

Deno.test("planEpoch() leaves the order as it is whatever the augmentation", () => {
  const { order } = planEpoch(50, OPTIONS);
  for (const augmentation of ["crop", "flip", "crop-flip"] as const) {
    assert.deepEqual(planEpoch(50, { ...OPTIONS, augmentation }).order, order);
  }
});

Deno.test("planEpoch() shows the center without augmentation", () => {
  assert.deepEqual(planEpoch(20, OPTIONS).crops, []);
});

Deno.test("planEpoch() draws crops from the whole margin, and mirrors half of them where asked", () => {
  const { crops } = planEpoch(4000, { ...OPTIONS, augmentation: "crop" });
  for (const side of ["top", "left"] as const) {
    const counts = new Array<number>(33).fill(0);
    for (const crop of crops) counts[crop[side]] = (counts[crop[side]] ?? 0) + 1;
    // 4000 draws of 33 values: 121 each, with a deviation of 11.
    assert.equal(counts.length, 33);
    assert(counts.every((count) => count > 121 - 60 && count < 121 + 60), `${side}: ${counts}`);
  }
  assert(crops.every((crop) => !crop.flip));
  const mirrored = planEpoch(4000, { ...OPTIONS, augmentation: "crop-flip" }).crops.filter((crop) => crop.flip);
  assert(mirrored.length > 1850 && mirrored.length < 2150, String(mirrored.length));
});

Deno.test("planEpoch() flips half of the images at their center, as torchvision's CenterCrop finds it", () => {
  const { crops } = planEpoch(4000, { ...OPTIONS, augmentation: "flip", margin: 37 });
  assert(crops.every(({ top, left }) => top === 18 && left === 18));
  const flipped = crops.filter(({ flip }) => flip).length;
  assert(flipped > 1850 && flipped < 2150, String(flipped));
});

Deno.test("frozenAugmentation() leaves only flips, since features exist of the center crop and its flip", () => {
  const found = (["none", "crop", "flip", "crop-flip"] as const).map((augmentation) =>
    frozenAugmentation({ augmentation })
  );
  assert.deepEqual(found, ["none", "none", "flip", "flip"]);
});
