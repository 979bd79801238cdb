import assert from "node:assert/strict";
import { join } from "node:path";
import { writeHostileImages } from "../../images/hostile_images.ts";
import { makeFolder } from "../../support/temporary_folder.ts";
import { TINY } from "../../support/draw_dataset.ts";
import { assertDone, canRunTasks, runTask, withoutModelLines } from "../../support/run_task.ts";

Deno.test({
  name: "train skips hostile images with a count, and caption reports them and captions all others",
  ignore: !canRunTasks,
  async fn() {
    await using folder = await makeFolder({});
    const images = join(folder.path, "Images");
    await Deno.mkdir(images);
    const { good, bad } = await writeHostileImages(images);
    const names = [...good, ...bad];
    const rows = names.map((name) => `${name},a picture`);
    await Deno.writeTextFile(join(folder.path, "captions.txt"), ["image,caption", ...rows].join("\n"));
    const options = { folder: folder.path };
    // Shrunk, a progressive JPEG that claims 49 million pixels would take little memory, and be decoded as Pillow does.
    const whole = ["--set", "shrinkOnLoad=false"];
    const run = ["--data", ".", "--out", "out", ...TINY, "--image-size", "64", "--batch-size", "4", ...whole];
    const trained = await runTask("train", run, options);
    assertDone(trained);
    // One is a folder, and counts as missing.
    assert.match(trained.stdout, /^Skipped 1 missing image, the first: 'folder\.jpg'$/m);
    assert.match(trained.stdout, new RegExp(`^Skipped ${bad.length - 1} broken images, `, "m"));

    const files = names.map((name) => join("Images", name));
    const { code, stdout, stderr } = await runTask(
      "caption",
      ["--checkpoint", "out/best.safetensors", ...files],
      options,
    );
    assert.equal(code, 1);
    assert.deepEqual(stdout.trimEnd().split("\n").map((line) => line.split("\t")[0]), files.slice(0, good.length));
    const errors = withoutModelLines(stderr).trimEnd().split("\n");
    assert.equal(errors.length, bad.length);
    for (const error of errors) assert.match(error, /^error: Cannot decode image '/);
  },
});

Deno.test({
  name: "train and caption handle a script without spaces with --tokenizer unicode",
  ignore: !canRunTasks,
  async fn() {
    await using folder = await makeFolder({});
    const images = join(folder.path, "Images");
    await Deno.mkdir(images);
    const { good } = await writeHostileImages(images);
    const rows = good.map((name) => `${name},犬が走る`);
    await Deno.writeTextFile(join(folder.path, "captions.txt"), ["image,caption", ...rows].join("\n"));
    const options = { folder: folder.path };
    const settings = ["--tokenizer", "unicode", "--batch-size", "5", "--epochs", "12", "--set", "learningRate=0.01"];
    assertDone(await runTask("train", ["--data", ".", "--out", "out", ...TINY, ...settings], options));
    const captioned = await runTask("caption", ["--checkpoint", "out/best.safetensors", `Images/${good[0]}`], options);
    assertDone(captioned);
    assert.equal(captioned.stdout, "犬が走る\n");
  },
});
