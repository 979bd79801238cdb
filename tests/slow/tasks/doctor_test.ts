import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeFolder } from "../../support/temporary_folder.ts";
import { writeHostileImages } from "../../images/hostile_images.ts";
import { drawDataset, DRAWN_COUNT, FIRST_PICTURE, TINY } from "../../support/draw_dataset.ts";
import { assertRefused, canRunTasks, runTask, startTask } from "../../support/run_task.ts";

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
      new RegExp(`^dataset +${DRAWN_COUNT} images with ${2 * DRAWN_COUNT} captions, 0 images missing`),
    );
    assert.match(examined.stdout, /^CNN trained +1 epochs of .* captions\/s \(measured: \d+ steps?\)$/m);
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
    assert.equal(found.data.images, DRAWN_COUNT + 2);
    assert.deepEqual(found.data.missing, ["gone.jpg"]);
    assert.equal(found.data.rejected.length, 1);
    const reason = "the file is text, not an image, give an image file";
    assert.deepEqual(found.images.broken, [{ path: join(images, "broken.jpg"), reason }]);
    assert.deepEqual(found.images.duplicates.groups, [[FIRST_PICTURE, "twin.png"]]);
    assert.equal(found.speed.stages.length, 1);
    assert.deepEqual(found.errors, []);
    assert(found.warnings.length >= 3);
  },
});

/** Replaces every image of the dataset. */
const NO_PICTURES = Object.fromEntries(
  ["red", "green", "blue"].flatMap((color) =>
    Array.from({ length: DRAWN_COUNT / 3 }, (_, place) => `${color}-${place}`)
  )
    .map((name) => [`drawn/Images/${name}.png`, "no picture"]),
);
const LISTS = {
  "lists/Flickr_8k.trainImages.txt": "red-0.png\nred-1.png\n",
  "lists/Flickr_8k.devImages.txt": "elsewhere.png\n",
  "lists/Flickr_8k.testImages.txt": "red-2.png\n",
};

for (
  const [fault, arguments_, reason, files] of [
    ["a path that is not there", ["--data", "gone"], /there is no such file/],
    ["a folder without captions", ["--data", "drawn/Images"], /there are no captions/],
    ["a device that is not there", ["--data", "drawn", ...TINY, "--device", "cuda"], /CUDA/],
    ["weights that are none", ["--data", "drawn", ...TINY, "--encoder-weights", "drawn/captions.txt"], /captions\.txt/],
    ["captions and no images", ["--data", "bare", ...TINY], /image/, {
      "bare/captions.txt": "image,caption\n0.png,red\n",
    }],
    ["no image that can be decoded", ["--data", "drawn", ...TINY], /none of 24 can be decoded/, NO_PICTURES],
    ["an empty split", ["--data", "drawn", "--splits", "lists", ...TINY], /validation/, LISTS],
  ] as const
) {
  Deno.test({
    name: `doctor says that training cannot run: ${fault}`,
    ignore,
    async fn() {
      await using folder = await drawDataset(files);
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
  name: "doctor refuses what it cannot check in one line",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    const refused: [arguments_: string[], reason: RegExp][] = [
      [[], /no data is named; give --data PATH/],
      [["--resume", "runs/old"], /Cannot check a run: leave out --resume, and give --data PATH/],
      [["--data", ".", "--epochs", "no"], /--epochs/],
    ];
    for (const [arguments_, reason] of refused) {
      assertRefused(await runTask("doctor", arguments_, { folder: folder.path }), reason);
    }
  },
});

Deno.test({
  name: "doctor --json reports contradicting options in its document",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    for (
      const [arguments_, reason] of [
        [
          ["--encoder-weights", "imagenet", "--set", "encoderWidth=8"],
          /^Cannot use --encoder-weights imagenet: the published resnet50 has encoderWidth=64 /,
        ],
        [
          ["--encoder-weights", "none", "--finetune-after", "never"],
          /^Cannot train with an encoder that is random and frozen in all 30 epochs: /,
        ],
      ] as const
    ) {
      const { code, stdout, stderr } = await runTask("doctor", ["--data", ".", "--json", ...arguments_], {
        folder: folder.path,
      });
      assert.deepEqual([code, stderr], [1, ""]);
      // The data is looked for all the same.
      const { errors: [first, second, ...others] } = JSON.parse(stdout);
      assert.match(first, reason);
      assert.match(second, /^Cannot /);
      assert.deepEqual(others, []);
    }
  },
});

Deno.test({
  name: "doctor downloads no weights, but says that train will, and measures training with them",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const resNet50 = ["--set", "encoderWidth=64", "--set", "encoderBlocks=3,4,6,3", "--encoder-weights", "imagenet"];
    const arguments_ = ["--data", "drawn", "--json", ...TINY, ...resNet50];
    const { code, stdout } = await runTask("doctor", arguments_, { folder: folder.path });
    assert.equal(code, 0);
    const { warnings, speed } = JSON.parse(stdout);
    assert(warnings.some((line: string) => /^resnet50-\w+\.pth is not downloaded yet: training will fetch/.test(line)));
    // With pretrained weights the CNN is frozen in the only epoch.
    assert.deepEqual(speed.stages.map(({ stage }: { stage: string }) => stage), ["frozen"]);
    const kept = (await Array.fromAsync(Deno.readDir(join(folder.path, "cache")))).map(({ name }) => name);
    assert.deepEqual(kept, ["images"]);
  },
});

Deno.test({
  name: "doctor ends at Ctrl-C with exit code 130, and prints nothing on standard output",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    // Steps that take long enough to be interrupted.
    const slow = ["--image-size", "128", "--set", "encoderWidth=32", "--set", "encoderBlocks=3,4,6,3"];
    const task = startTask("doctor", ["--data", "drawn", "--json", ...TINY, ...slow], { folder: folder.path });
    await task.printed(/^Measuring steps: /m);
    task.press();
    const { code, stdout } = await task.ended;
    assert.deepEqual([code, stdout], [130, ""]);
    const left = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).toSorted();
    assert.deepEqual(left, ["cache", "drawn"]);
  },
});

Deno.test({
  name: "doctor lists hostile images with their reasons, warns, and caches no images with --no-image-cache",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    const images = join(folder.path, "Images");
    await Deno.mkdir(images);
    const { good, bad } = await writeHostileImages(images);
    const rows = [...good, ...bad].map((name) => `${name},a picture`);
    await Deno.writeTextFile(join(folder.path, "captions.txt"), ["image,caption", ...rows].join("\n"));
    // Shrunk, a progressive JPEG that claims 49 million pixels would take little memory, and be decoded as Pillow does.
    const settings = ["--image-size", "64", "--batch-size", "4", "--no-image-cache", "--set", "frozenLearningRate=1"];
    settings.push("--set", "shrinkOnLoad=false");
    const arguments_ = ["--data", ".", "--json", ...TINY, ...settings];
    const { code, stdout } = await runTask("doctor", arguments_, { folder: folder.path });
    assert.equal(code, 0);
    const { data, images: found, space, errors, warnings } = JSON.parse(stdout);
    assert.deepEqual([found.usable, errors], [good.length, []]);
    // One is a folder, and counts as missing.
    assert.deepEqual(data.missing, ["folder.jpg"]);
    assert.equal(found.broken.length, bad.length - 1);
    for (const { path, reason } of found.broken) {
      assert(bad.some((name) => path === join(images, name)), path);
      assert(reason.length > 5 && !reason.includes("\n"), reason);
    }
    assert.equal(space.images, 0);
    const kept = await Array.fromAsync(Deno.readDir(join(folder.path, "cache", "images")));
    for (const { name } of kept) {
      using database = new DatabaseSync(join(folder.path, "cache", "images", name, "images.sqlite"));
      assert.deepEqual(database.prepare("SELECT * FROM pixels").all(), []);
    }
    // Warnings about settings, and about the CNN's weights.
    assert(warnings.some((line: string) => line.includes("frozenLearningRate")), warnings.join("\n"));
    assert(warnings.some((line: string) => line.includes("No pretrained weights")), warnings.join("\n"));
  },
});
