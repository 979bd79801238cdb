import assert from "node:assert/strict";
import { drawDataset, DRAWN_COUNT, TINY } from "../../support/draw_dataset.ts";
import { assertRefused, canRunTasks, runTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;

/** The model of {@linkcode trainedFolder}. */
const TRAINED = ["--checkpoint", "runs/a/last.safetensors"];

/** The dataset with a model that can tell its colors, whatever the seed. */
async function trainedFolder() {
  const folder = await drawDataset();
  const settings = [
    ...["--epochs", "60", "--batch-size", "5", "--set", "learningRate=0.01", "--set", "patience=0"],
    ...["--set", "hiddenSize=32", "--image-size", "32"],
  ];
  const { code, stderr } = await runTask("train", ["--data", "drawn", "--out", "runs/a", ...TINY, ...settings], {
    folder: folder.path,
  });
  assert.equal(code, 0, stderr);
  return folder;
}

Deno.test({
  name: "retrieve finds images by a sentence, and scores retrieval in both directions",
  ignore,
  async fn() {
    await using folder = await trainedFolder();
    const options = { folder: folder.path };
    const query = [...TRAINED, "--query", "This is green", "--images", "drawn/Images", "--top", "4"];
    const found = await runTask("retrieve", query, options);
    assert.equal(found.code, 0, found.stderr);
    const lines = found.stdout.trimEnd().split("\n");
    assert.equal(lines.length, 4);
    for (const line of lines) assert.match(line, /^-\d+\.\d\d\t.*green-\d\.png$/);
    const json = await runTask("retrieve", [...query, "--json"], options);
    assert.deepEqual(
      JSON.parse(json.stdout).map(({ image }: { image: string }) => image),
      lines.map((line) => line.split("\t")[1]),
    );

    const scored = await runTask("retrieve", [...TRAINED, "--data", "drawn", "--split", "all", "--json"], options);
    assert.equal(scored.code, 0, scored.stderr);
    const report = JSON.parse(scored.stdout);
    assert.deepEqual([report.imageCount, report.captionCount], [DRAWN_COUNT, 2 * DRAWN_COUNT]);
    // By chance it would be 12.5; of each color there are 8 images that are hard to tell apart.
    assert(report.images.medianRank < 11 && report.captionsLessMean.medianRank < 11, scored.stdout);
    const text = await runTask("retrieve", ["--data", "drawn"], options);
    assert.match(text.stdout, /^3 images, 6 captions$/m);
    assert.match(text.stdout, /^caption to image +\d+\.\d% +\d+\.\d% +\d+\.\d% +\d+\.\d$/m);
    const odd = await runTask("retrieve", ["--query", "a zebra", "--images", "drawn/Images"], options);
    assert.match(odd.stderr, /Warning: the model does not know '\w+'.*; images are ranked by the other words/);
  },
});

Deno.test({
  name: "retrieve refuses what it cannot search for in one line",
  ignore,
  async fn() {
    await using folder = await trainedFolder();
    const options = { folder: folder.path };
    assertRefused(await runTask("retrieve", [], options), /give --data/);
    assertRefused(await runTask("retrieve", ["--query", "a kite"], options), /give --images DIR/);
    assertRefused(await runTask("retrieve", ["--query", " ", "--images", "drawn"], options), /--query is empty/);
    assertRefused(await runTask("retrieve", ["--query", "a kite", "--images", "gone"], options), /gone/);
    assertRefused(
      await runTask("retrieve", ["--query", "a kite", "--images", "runs"], options),
      /it is a folder without files called \.jpg/,
    );
  },
});
