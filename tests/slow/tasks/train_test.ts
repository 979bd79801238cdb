import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import { readPth } from "../../../src/checkpoint/pth.ts";
import { writeSafetensors } from "../../../src/checkpoint/safetensors.ts";
import { makeRecipe } from "../../../src/pipeline/recipe.ts";
import { testData } from "../../support/test_data.ts";
import { drawDataset, TINY } from "../../support/draw_dataset.ts";
import { assertDone, assertRefused, canRunTasks, runTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;

/** Runs a command under a pseudo-terminal; Python is needed to build the library anyway. */
const UNDER_TERMINAL = ["python3", "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"];

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

async function metricsOf(run: string): Promise<Record<string, number>[]> {
  const lines = (await Deno.readTextFile(join(run, "metrics.jsonl"))).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

Deno.test({
  name: "train writes both checkpoints, a line of metrics an epoch, its settings and a report, and says how to caption",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const args = ["--data", "drawn", "--out", "runs/first", ...TINY, "--epochs", "2", "--seed", "5"];
    const ended = await runTask("train", args, { folder: folder.path });
    assertDone(ended);
    const run = join(folder.path, "runs", "first");
    assert.deepEqual(namesIn(run), [
      ...[
        "best.safetensors",
        "config.json",
        "gallery.json",
        "last.safetensors",
        "metrics.jsonl",
        "notes.json",
        "report.html",
        "steps.jsonl",
      ],
    ]);
    const metrics = await metricsOf(run);
    assert.deepEqual(metrics.map(({ epoch }) => epoch), [1, 2]);
    for (const line of metrics) {
      for (const name of ["trainLoss", "validationLoss", "seconds", "captionsPerSecond", "imagesPerSecond"]) {
        assert((line[name] ?? 0) > 0, name);
      }
    }
    const config = JSON.parse(await Deno.readTextFile(join(run, "config.json")));
    assert.deepEqual([config.seed, config.device, config.recipe.name, config.recipe.epochs], [5, "cpu", "lrcn", 2]);
    assert.deepEqual(config.dataset, { data: join(folder.path, "drawn") });
    assert.match(
      ended.stdout,
      /^Data: 24 images, 48 captions; .*train 19, validation 2, test 3; 16 words; kaggle format, random split$/m,
    );
    assert.match(ended.stdout, /^Epoch 2\/2: train loss \d\.\d+, validation loss \d\.\d+.* captions\/s$/m);
    assert.match(ended.stdout, /deno task caption --checkpoint \S*best\.safetensors/);
  },
});

Deno.test({
  name: "train with pretrained weights counts their recipe's epochs, not those of a training from scratch",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const first = ["--data", "drawn", "--out", "first", ...TINY];
    assertDone(await runTask("train", first, { folder: folder.path }));
    using checkpoint = await openCheckpoint(join(folder.path, "first", "best.safetensors"));
    const prefix = "resnet.";
    const encoder = [...checkpoint.tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) && !name.startsWith(`${prefix}fc.`)
        ? [{ ...tensor, name: name.slice(prefix.length) }]
        : []
    );
    await writeSafetensors(join(folder.path, "encoder.safetensors"), { metadata: {}, tensors: encoder });
    const tiny = TINY.filter((word, index) => word !== "--epochs" && TINY[index - 1] !== "--epochs");
    const args = ["--data", "drawn", "--out", "second", ...tiny, "--encoder-weights", "encoder.safetensors"];
    const ended = await runTask("train", args, { folder: folder.path });
    assertDone(ended);
    const { recipe } = JSON.parse(await Deno.readTextFile(join(folder.path, "second", "config.json")));
    assert.equal(recipe.epochs, makeRecipe("lrcn", {}, { pretrained: true }).epochs);
    assert.match(ended.stdout, new RegExp(`^Epoch 1/${recipe.epochs}: train loss`, "m"));
  },
});

Deno.test({
  name: "train names its run by date, time and recipe, in the working directory's runs folder",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    assertDone(await runTask("train", ["--data", "drawn", ...TINY], { folder: folder.path }));
    const [run = "", ...others] = namesIn(join(folder.path, "runs"));
    assert.match(run, /^\d{4}-\d\d-\d\d-\d{6}-lrcn$/);
    assert.deepEqual(others, []);
  },
});

Deno.test({
  name: "train --recipe notebook writes a .pth with the notebook's names beside its checkpoints",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const args = ["--recipe", "notebook", "--data", "drawn", "--out", "out", ...TINY];
    assertDone(await runTask("train", args, { folder: folder.path }));
    using file = await readPth(join(folder.path, "out", "lrcn_resnet50_flickr8k.pth"));
    const { tensors } = file;
    const names = [...tensors.keys()];
    assert.deepEqual(
      [...new Set(names.map((name) => name.split(".")[0]))].sort(),
      ["embed", "linear", "lstm", "resnet"],
    );
    assert.deepEqual(tensors.get("linear.weight")?.shape, [15000, 16]);
  },
});

Deno.test({
  name: "train counts and skips missing and broken images",
  ignore,
  async fn() {
    await using folder = await drawDataset({ "drawn/Images/green-1.png": "no picture" });
    await Deno.remove(join(folder.path, "drawn", "Images", "blue-7.png"));
    const ended = await runTask("train", ["--data", "drawn", "--out", "out", ...TINY], { folder: folder.path });
    assertDone(ended);
    assert.match(ended.stdout, /^Skipped 1 missing image, the first: 'blue-7\.png'$/m);
    assert.match(ended.stdout, /^Skipped 1 broken image, the first: '\S+green-1\.png': \S/m);
    assert.match(ended.stdout, /^Data: 23 images/m);
  },
});

Deno.test({
  name: "train draws a bar with loss, captions/s and time left on a terminal",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const args = ["--data", "drawn", "--out", "out", ...TINY, "--epochs", "8", "--batch-size", "4"];
    const { code, stdout } = await runTask("train", args, { folder: folder.path, under: UNDER_TERMINAL });
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /Epoch \d\/8 \[[=-]+\] \d\/5 loss \d\.\d+, learning rate \d\S+, gradient norm \d\S+, \d\S* captions\/s, \d+ s left, waiting for/,
    );
  },
});

const CAPTIONS = "drawn/captions.txt";
const TEXTS = Array.from({ length: 10 }, (_, index) => `${index}.jpg`);
const LIST = { "lists/a.trainImages.txt": "red-0.png", "lists/a.devImages.txt": "red-1.png" };

/** For each fault: files, options besides `--out out`, and the line that train prints. */
const refusals: Record<string, { files?: Record<string, string>; args: string[]; line: RegExp }> = {
  "a missing folder": {
    args: ["--data", "gone"],
    line: /Cannot read '\S+\/gone': there is no such file or folder, check the path$/m,
  },
  "a folder without captions": {
    files: { "empty/readme.md": "" },
    args: ["--data", "empty"],
    line: /there are no captions in \S+\/empty \(captions\.txt, .*; name the file with --captions$/m,
  },
  "captions without the two columns": {
    files: { "wrong.csv": "image,tags\nred-0.png,A red square" },
    args: ["--captions", "wrong.csv", "--images", "drawn/Images"],
    line: /column 'caption' is missing in \S+wrong\.csv/,
  },
  "an empty captions file": {
    files: { "empty.txt": "" },
    args: ["--captions", "empty.txt", "--images", "drawn/Images"],
    line: /Cannot read captions: \S+empty\.txt is empty; name another file$/m,
  },
  "a dataset with only missing images": {
    files: { "elsewhere/other.png": "" },
    args: ["--captions", CAPTIONS, "--images", "elsewhere"],
    line:
      /none of the 24 images of \S+ is in \S+elsewhere, for example 'red-0\.png', while \S+elsewhere has 'other\.png'; name their folder with --images$/m,
  },
  "a dataset with only broken images": {
    files: {
      [CAPTIONS]: ["image,caption", ...TEXTS.map((name) => `${name},A red square`)].join("\n"),
      ...Object.fromEntries(TEXTS.map((name) => [`drawn/Images/${name}`, "words"])),
    },
    args: ["--data", "drawn"],
    line: /Cannot read images: none of 10 can be decoded, the first is '\S+0\.jpg': the file is text/,
  },
  "so few images that a split would be empty": {
    args: ["--data", "drawn", "--max-images", "9"],
    line: /Cannot split dataset: it has 9 images, and at least 10 are needed .*; add images/,
  },
  "batches of one image if BatchNorm needs two": {
    args: ["--data", "drawn", "--batch-size", "6"],
    line: /Cannot train: 19 examples in batches of 6 leave a batch of one image, .*; change --batch-size/,
  },
  "official lists, one of them without an image here": {
    files: { ...LIST, "lists/a.devImages.txt": "other.png", "lists/a.testImages.txt": "red-1.png" },
    args: ["--data", "drawn", "--splits", "lists"],
    line: /none of its 24 images is among the 1 of the official validation list; .* --splits$/m,
  },
  "incomplete official lists": {
    files: LIST,
    args: ["--data", "drawn", "--splits", "lists"],
    line:
      /: \S+lists has no test list beside 'a\.devImages\.txt' and 'a\.trainImages\.txt'; add it, or rename or remove/,
  },
  "a file that is not encoder weights": {
    files: { "weights.pth": "words" },
    args: ["--data", "drawn", "--encoder-weights", "weights.pth"],
    line: /Cannot read '\S+weights\.pth': it is not a PyTorch file, give one that/,
  },
  "a random encoder that never trains": {
    args: ["--data", "drawn", "--finetune-after", "never"],
    line: /Cannot train with an encoder that is random and frozen in all 1 epochs: .* --finetune-after 0$/m,
  },
  "a stage that the encoder does not have": {
    args: ["--data", "drawn", "--finetune-from", "head"],
    line: /Cannot set 'trainableFrom' to 'head': the stages of resnet50 are conv1, layer1, layer2, layer3, layer4$/m,
  },
  "an encoder with another number of stages": {
    args: ["--data", "drawn", "--encoder", "efficientnet-lite2"],
    line: /Cannot set 'encoderBlocks' to '1,1,1,1': efficientnet-lite2 has 7 stages$/m,
  },
  "an unknown option": {
    args: ["--data", "drawn", "--epoch", "3"],
    line: /unknown option '--epoch' \(Did you mean --epochs\?\)$/m,
  },
  "an unknown setting": {
    args: ["--data", "drawn", "--set", "hidenSize=3"],
    line: /Cannot set 'hidenSize': there is no such setting; did you mean hiddenSize\?/,
  },
  "a setting with a word for a number": {
    args: ["--data", "drawn", "--set", "hiddenSize=many"],
    line: /Cannot set 'hiddenSize' to 'many': .*expected number.* \(hiddenSize: hidden size of each LSTM layer\)$/m,
  },
  "a setting beyond what the library counts": {
    args: ["--data", "drawn", "--set", "hiddenSize=99999999999"],
    line: /Cannot set 'hiddenSize' to '99999999999': .*<=65536 \(hiddenSize: hidden size of each LSTM layer\)$/m,
  },
  "a setting beyond what the model takes": {
    args: ["--data", "drawn", "--set", "hiddenSize=99999999"],
    line: /Cannot set 'hiddenSize' to '99999999': .*<=65536 \(hiddenSize: hidden size of each LSTM layer\)$/m,
  },
  "a setting without a value": {
    args: ["--data", "drawn", "--set", "outputDropout="],
    line: /option '--set <key=value>' argument 'outputDropout=' is invalid\. It must be key=value\.$/m,
  },
  "a missing device": {
    args: ["--data", "drawn", "--device", "cuda"],
    line: /Cannot create the model: .*(?:driver|device|GPU).*; use --device cpu, or build with a CUDA libtorch/,
  },
  "a folder to resume that is not a run": {
    args: ["--resume", "drawn"],
    line: /Cannot change --out, --epochs, .* of a resumed run: leave it out, or start a new run/,
  },
  "a recipe that renders its own data": {
    args: ["--data", "drawn", "--recipe", "sample"],
    line: /Cannot use the sample recipe with data: it renders its own; leave --recipe sample out$/m,
  },
};

for (const [what, { files = {}, args, line }] of Object.entries(refusals)) {
  Deno.test({
    name: `train refuses ${what} in one line, and writes nothing`,
    ignore,
    async fn() {
      await using folder = await drawDataset(files);
      const before = namesIn(folder.path);
      const ended = await runTask("train", ["--out", "out", ...TINY, ...args], { folder: folder.path });
      assertRefused(ended, line);
      // The image cache is kept for the next run.
      assert.deepEqual(namesIn(folder.path).filter((name) => name !== "cache"), before);
    },
  });
}

Deno.test({
  name: "train refuses a folder that holds a run, and leaves the run as it was",
  ignore,
  async fn() {
    await using folder = await drawDataset({ "out/config.json": "{}", "out/last.safetensors": "former" });
    const ended = await runTask("train", ["--data", "drawn", "--out", "out", ...TINY], { folder: folder.path });
    assertRefused(
      ended,
      /Cannot train into '\S+out': it holds a run already; resume it by --resume '\S+out', or choose another/,
    );
    assert.deepEqual(namesIn(join(folder.path, "out")), ["config.json", "last.safetensors"]);
    assert.equal(await Deno.readTextFile(join(folder.path, "out", "last.safetensors")), "former");
  },
});

Deno.test({
  name: "train refuses a folder that cannot be created",
  ignore,
  async fn() {
    await using folder = await drawDataset({ "file": "words" });
    const ended = await runTask("train", ["--data", "drawn", "--out", "file/out", ...TINY], { folder: folder.path });
    assertRefused(
      ended,
      /folder '\S+file\/out': a part of the path is a file, not a folder; choose another by --out$/m,
    );
    assert.equal(await Deno.readTextFile(join(folder.path, "file")), "words");
  },
});

Deno.test({
  name: "train trains on photos, and caption captions one with the result",
  ignore: ignore || testData === undefined,
  async fn() {
    assert(testData !== undefined);
    await using folder = await drawDataset();
    const data = join(testData, "flickr8k-mini");
    const args = ["--data", data, "--out", "out", ...TINY, "--image-size", "32", "--max-images", "60", "--epochs", "2"];
    assertDone(await runTask("train", args, { folder: folder.path }));
    const [first, second] = (await metricsOf(join(folder.path, "out"))).map(({ trainLoss }) => trainLoss ?? NaN);
    assert(first !== undefined && second !== undefined && second < first, `${first}, then ${second}`);
    const example = namesIn(join(data, "Images")).find((name) => name.endsWith(".jpg")) ?? "";
    const captioned = await runTask(
      "caption",
      ["--checkpoint", "out/best.safetensors", join(data, "Images", example)],
      { folder: folder.path },
    );
    assertDone(captioned);
    assert.match(captioned.stdout, /^\S[^\n]*\n$/);
  },
});

Deno.test({
  name: "train uses Flickr8k's official lists even if all images of the test list are missing",
  ignore: ignore || testData === undefined,
  async fn() {
    assert(testData !== undefined);
    await using folder = await drawDataset();
    const lists = join(testData, "flickr8k-text");
    const captions = join(lists, "Flickr8k.token.txt");
    const images = join(testData, "flickr8k-mini", "Images");
    const paths = ["--captions", captions, "--images", images, "--splits", lists];
    const args = [...paths, "--out", "out", ...TINY, "--batch-size", "15"];
    const ended = await runTask("train", args, { folder: folder.path });
    assertDone(ended);
    assert.match(
      ended.stdout,
      /^Data: 875 images, 4375 captions; images in train 753, validation \d+, test 0; \d+ words; flickr-token format, official split$/m,
    );
  },
});
