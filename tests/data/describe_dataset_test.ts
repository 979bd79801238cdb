import assert from "node:assert/strict";
import { describeCaptionFiles, describeRenamed, describeSplit } from "../../src/data/describe_dataset.ts";

Deno.test("describeCaptionFiles() names the first files, and counts the others", () => {
  assert.equal(describeCaptionFiles({ captionFiles: ["a.csv", "b.csv"] }), "a.csv, b.csv");
  assert.equal(
    describeCaptionFiles({ captionFiles: Array.from({ length: 9 }, (_, index) => `${index}.tar`) }),
    "0.tar, 1.tar, 2.tar, 3.tar and 5 more",
  );
  assert.equal(describeCaptionFiles({ captionFiles: [] }), "texts beside the images");
});

Deno.test("describeSplit() says what decides the split", () => {
  const official = {
    officialSplits: { train: [], validation: [], test: [] },
    splitSource: "the folders 'train', 'val'",
  };
  assert.equal(describeSplit(official, { splitBy: "image", seed: 3 }), "by the folders 'train', 'val'");
  assert.equal(
    describeSplit(official, { splitBy: "caption", seed: 3 }),
    "captions at random with seed 3, not by the folders 'train', 'val'",
  );
  assert.equal(
    describeSplit({ splitSource: "the split in 'a.csv'" }, { splitBy: "image", seed: 3 }),
    "images at random with seed 3: the split in 'a.csv' leaves no image to train or validate with",
  );
  assert.equal(describeSplit({}, { splitBy: "image", seed: 3 }), "images at random with seed 3");
});

Deno.test("describeRenamed() shows the first pair on one line, without control characters", () => {
  const renamed = [{ name: "a\n.jpg", path: "/x/a.png" }, { name: "b", path: "/x/b.png" }];
  assert.equal(
    describeRenamed({ renamed }),
    "2 images have other names on disk, the first: 'a\\n.jpg' is /x/a.png",
  );
  assert.equal(describeRenamed({ renamed: [] }), undefined);
});
