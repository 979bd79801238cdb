import assert from "node:assert/strict";
import { join } from "node:path";
import { makeFolder } from "../pipeline/temporary_folder.ts";
import { writeHostileImages } from "../pipeline/images/hostile_images.ts";
import { drawDataset, DRAWN_COUNT, FIRST_PICTURE, TINY } from "./drawn_dataset.ts";
import { assertRefused, canRunTasks, runTask } from "./run_task.ts";

const ignore = !canRunTasks;

Deno.test({
  name: "doctor describes a sound dataset, and leaves nothing but the cache",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const options = { folder: folder.path };
    const examined = await runTask("doctor", ["--data", "drawn", ...TINY], options);
    assert.equal(examined.code, 0);
    assert.match(examined.stderr, /^(Decoding images|Measuring steps): /);
    const lines = examined.stdout.trimEnd().split("\n");
    assert.match(
      lines[1] ?? "",
      new RegExp(`^photographs +${DRAWN_COUNT} with ${2 * DRAWN_COUNT} captions, 0 missing`),
    );
    assert.match(examined.stdout, /^CNN learns +1 epochs of .* captions\/s \(10 steps\)$/m);
    assert.equal(lines.at(-1), "Training can run.");
    const left = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).toSorted();
    assert.deepEqual(left, ["cache", "drawn"]);
  },
});

Deno.test({
  name: "doctor finds duplicates, missing and broken images and unusable rows; --json prints one document",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const images = join(folder.path, "drawn", "Images");
    await Deno.copyFile(join(images, FIRST_PICTURE), join(images, "twin.png"));
    await Deno.writeTextFile(join(images, "broken.jpg"), "no picture");
    const captions = join(folder.path, "drawn", "captions.txt");
    const rows = ["", "twin.png,This is red", "broken.jpg,This is red", "gone.jpg,This is red", "gone.jpg,"];
    await Deno.writeTextFile(captions, rows.join("\n"), { append: true });
    const { code, stdout } = await runTask("doctor", ["--data", "drawn", "--json", ...TINY], { folder: folder.path });
    assert.equal(code, 0);
    const found = JSON.parse(stdout);
    assert.equal(found.data.photographs, DRAWN_COUNT + 2);
    assert.deepEqual(found.data.missing, ["gone.jpg"]);
    assert.equal(found.data.rejected.length, 1);
    const reason = "the file is text, not an image, give a JPEG or PNG file";
    assert.deepEqual(found.images.broken, [{ path: join(images, "broken.jpg"), reason }]);
    assert.deepEqual(found.images.duplicates.groups, [[FIRST_PICTURE, "twin.png"]]);
    assert.equal(found.speed.stages.length, 1);
    assert.deepEqual(found.errors, []);
    assert(found.warnings.length >= 3);
  },
});

for (
  const [fault, arguments_, reason] of [
    ["a path that is not there", ["--data", "gone"], /there is no such file/],
    ["a folder without captions", ["--data", "drawn/Images"], /there are no captions/],
    ["a device that is not there", ["--data", "drawn", ...TINY, "--device", "cuda"], /CUDA/],
    ["weights that are none", ["--data", "drawn", ...TINY, "--encoder-weights", "drawn/captions.txt"], /captions\.txt/],
  ] as const
) {
  Deno.test({
    name: `doctor says that training cannot run, with ${fault}`,
    ignore,
    async fn() {
      await using folder = await drawDataset();
      const text = await runTask("doctor", [...arguments_, "--cache", "cache"], { folder: folder.path });
      assert.equal(text.code, 1);
      const [error = "", last] = text.stdout.trimEnd().split("\n").slice(-2);
      assert.match(error, /^error: /);
      assert.match(error, reason);
      assert.equal(last, "Training cannot run.");
      const json = await runTask("doctor", [...arguments_, "--cache", "cache", "--json"], { folder: folder.path });
      assert.equal(json.code, 1);
      assert.deepEqual(JSON.parse(json.stdout).errors, [error.replace("error: ", "")]);
    },
  });
}

Deno.test({
  name: "doctor refuses what it cannot examine in one line",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    for (const arguments_ of [[], ["--resume", "runs/old"], ["--data", ".", "--epochs", "no"]]) {
      assertRefused(await runTask("doctor", arguments_, { folder: folder.path }), /./);
    }
  },
});

Deno.test({
  name: "doctor lists hostile images, each with its reason, and says that training can run with the others",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    const images = join(folder.path, "Images");
    await Deno.mkdir(images);
    const { good, bad } = await writeHostileImages(images);
    const rows = [...good, ...bad].map((name) => `${name},a picture`);
    await Deno.writeTextFile(join(folder.path, "captions.txt"), ["image,caption", ...rows].join("\n"));
    const arguments_ = ["--data", ".", "--json", ...TINY, "--image-size", "64", "--batch-size", "4"];
    const { code, stdout } = await runTask("doctor", arguments_, { folder: folder.path });
    assert.equal(code, 0);
    const { data, images: found, errors } = JSON.parse(stdout);
    assert.deepEqual([found.usable, errors], [good.length, []]);
    // One is a folder, and so is not among the images.
    assert.deepEqual(data.missing, ["folder.jpg"]);
    assert.equal(found.broken.length, bad.length - 1);
    for (const { path, reason } of found.broken) {
      assert(bad.some((name) => path === join(images, name)), path);
      assert(reason.length > 5 && !reason.includes("\n"), reason);
    }
  },
});
