import assert from "node:assert/strict";
import { spaceNeeded, type SpaceNeededOptions } from "../../src/doctor/space_needed.ts";

const OPTIONS: SpaceNeededOptions = {
  recipe: { exportPth: false, encoder: "resnet50", encoderWidth: 64, epochs: 5, frozenEpochs: 0 },
  side: 256,
  images: 10,
  tensors: [
    { name: "w", kind: "parameter", dtype: "F32", shape: [3, 5] },
    { name: "b", kind: "buffer", dtype: "F32", shape: [7] },
    { name: "rng", kind: "random", dtype: "U8", shape: [5000] },
  ],
  cache: "/cache",
  out: "/runs/new",
  free: () => Promise.resolve(undefined),
};

Deno.test("spaceNeeded() counts cached images, and both checkpoints while one is replaced", async () => {
  const { images, features, checkpoints } = await spaceNeeded(OPTIONS);
  assert.equal(images, 10 * 256 * 256 * 3);
  assert.equal(features, 0);
  // best has 22 numbers; last adds Adam's two moments of 15 parameters, and exists twice while it is replaced.
  assert.equal(checkpoints, 4 * (22 + 2 * (22 + 30)));
});

Deno.test("spaceNeeded() counts the features of a frozen CNN, and the notebook recipe's .pth", async () => {
  const frozen = await spaceNeeded({ ...OPTIONS, recipe: { ...OPTIONS.recipe, frozenEpochs: 1 } });
  assert.equal(frozen.features, 10 * 2048 * 4);
  const notebook = await spaceNeeded({ ...OPTIONS, recipe: { ...OPTIONS.recipe, exportPth: true } });
  assert.equal(notebook.checkpoints, 4 * (22 + 2 * (22 + 30) + 22));
});

Deno.test("spaceNeeded() counts no images without an image cache", async () => {
  assert.equal((await spaceNeeded({ ...OPTIONS, keepImages: false })).images, 0);
});

Deno.test("spaceNeeded() asks for the disk of the nearest existing folder", async () => {
  const asked: string[] = [];
  const { cacheFree, runFree } = await spaceNeeded({
    ...OPTIONS,
    free(folder) {
      asked.push(folder);
      return Promise.resolve(folder === "/" ? 77 : folder === "/cache" ? 55 : undefined);
    },
  });
  assert.deepEqual([cacheFree, runFree], [55, 77]);
  assert.deepEqual(asked, ["/cache", "/runs/new", "/runs", "/"]);
});
