import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createCommand } from "../../src/cli/command.ts";
import { addTrainOptions, parseTrainOptions } from "../../src/cli/train_options.ts";
import { InputError } from "../../src/input_error.ts";
import { describeSettings, idleSettings, makeRecipe, type Recipe } from "../../src/pipeline/recipe.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const SMALL_CAPTIONER = fileURLToPath(new URL("../golden/checkpoint/captioner.safetensors", import.meta.url));

/** Parses a command line, in the folder /home/ada on 5 March 2026, 07:08:09. */
async function parse(...words: string[]) {
  const command = addTrainOptions(createCommand("train", "")).configureOutput({ writeErr: () => {} });
  command.parse(words, { from: "user" });
  return await parseTrainOptions(command.opts(), {
    now: new Date(2026, 2, 5, 7, 8, 9),
    path: (path) => path.startsWith("/") ? path : `/home/ada/${path}`,
  });
}

async function refuses(words: string[], message: RegExp): Promise<void> {
  await assert.rejects(parse(...words), (error) => error instanceof InputError && message.test(error.message));
}

/** The recipe of a command line, without pretrained weights. */
async function recipeOf(...words: string[]): Promise<Recipe> {
  return (await parse(...words)).recipe;
}

Deno.test("parseTrainOptions() without arguments is the sample recipe in a run named by time", async () => {
  const { recipe, pretrainedRecipe: _, givenSettings, cache, ...options } = await parse();
  assert.match(cache, /\/\.cache$/);
  assert.deepEqual(givenSettings, []);
  assert.deepEqual(recipe, makeRecipe("sample"));
  assert.deepEqual(options, {
    out: "/home/ada/runs/2026-03-05-070809-sample",
    resume: false,
    keepImages: true,
    checkpointEvery: undefined,
    tensorboard: undefined,
    seed: 0,
    device: "auto",
    precision: "auto",
    threads: 0,
    encoderWeights: { file: undefined },
    dataset: null,
  });
});

Deno.test("parseTrainOptions() with data is the lrcn recipe on it", async () => {
  const { recipe, out, dataset } = await parse("--data", "flickr8k", "--max-images", "200", "--splits", "/lists");
  assert.deepEqual(recipe, makeRecipe("lrcn"));
  assert.equal(out, "/home/ada/runs/2026-03-05-070809-lrcn");
  assert.deepEqual(dataset, { data: "/home/ada/flickr8k", splits: "/lists", maxImages: 200 });
  const separate = await parse("--captions", "c.txt", "--images", "i");
  assert.deepEqual(separate.dataset, { captions: "/home/ada/c.txt", images: "/home/ada/i" });
  const several = await parse("--captions", "train.csv", "--captions", "/val.csv");
  assert.deepEqual(several.dataset, { captions: ["/home/ada/train.csv", "/val.csv"] });
  for (const option of ["--data", "--images", "--splits"]) {
    await assert.rejects(
      parse("--captions", "c", option, "one", option, "two"),
      /It is given already, as 'one': give it once/,
    );
  }
});

Deno.test("parseTrainOptions() changes a recipe by options and by --set", async () => {
  const { recipe, threads, seed } = await parse(
    ...["--data", "d", "--recipe", "notebook", "--epochs", "2", "--batch-size", "8", "--image-size", "96"],
    ...["--set", "outputDropout=0.25", "--set", "encoderBlocks=1,1,1,1", "--threads", "1", "--seed", "7"],
  );
  const changes = { epochs: 2, batchSize: 8, imageSize: 96, outputDropout: 0.25, encoderBlocks: [1, 1, 1, 1] };
  assert.deepEqual(recipe, makeRecipe("notebook", changes));
  assert.deepEqual([threads, seed], [1, 7]);
});

Deno.test("parseTrainOptions() has an option for each part of the LRCN paper's models", async () => {
  const recipe = await recipeOf(
    ...["--data", "d", "--variant", "4f", "--inject", "first", "--embed-size", "20", "--hidden-size", "30"],
  );
  const { languageLayers, fusionLayers, inject, embedSize, hiddenSize } = recipe;
  assert.deepEqual([languageLayers, fusionLayers, inject, embedSize, hiddenSize], [2, 2, "first", 20, 30]);
});

Deno.test("parseTrainOptions() freezes the CNN for some epochs, forever, or in part", async () => {
  const staged = await recipeOf("--data", "d", "--finetune-after", "4", "--finetune-from", "layer3");
  assert.deepEqual([staged.frozenEpochs, staged.trainableFrom], [4, "layer3"]);
  const never = await recipeOf("--data", "d", "--finetune-after", "never", "--epochs", "7");
  assert.deepEqual([never.epochs, never.frozenEpochs], [7, 7]);
  assert.equal((await recipeOf("--data", "d", "--finetune-after", "0")).frozenEpochs, 0);
});

Deno.test("parseTrainOptions() can turn the image cache off, and limit pixels", async () => {
  const options = await parse("--data", "d", "--no-image-cache", "--max-pixels", "1000");
  assert.equal(options.keepImages, false);
  assert.deepEqual(options.dataset, { data: "/home/ada/d", maxPixels: 1000 });
});

Deno.test("parseTrainOptions() accepts format, tokenizer and --strict", async () => {
  const options = await parse("--data", "d", "--format", "coco", "--strict", "--tokenizer", "unicode");
  assert.deepEqual(options.dataset, { data: "/home/ada/d", format: "coco", strict: true });
  assert.equal(options.recipe.tokenizer, "unicode");
});

Deno.test("parseTrainOptions() refuses an option together with --set of the same setting", async () => {
  await refuses(["--epochs", "4", "--set", "epochs=7"], /^Cannot set 'epochs' twice: leave out --set epochs=\.\.\./);
  await refuses(
    ["--data", "d", "--finetune-after", "never", "--set", "frozenEpochs=3"],
    /^Cannot set 'frozenEpochs' twice/,
  );
  await refuses(["--variant", "2u", "--set", "fusionLayers=3"], /^Cannot set 'fusionLayers' twice/);
});

Deno.test("parseTrainOptions() warns about settings without effect", async () => {
  const options = await parse("--data", "d", "--finetune-after", "never", "--set", "learningRate=1e-2");
  const [warning = "", ...rest] = idleSettings(options.pretrainedRecipe, options.givenSettings);
  assert.match(
    warning,
    /^Warning: 'learningRate' has no effect: the encoder is frozen in all 16 epochs, which use frozenLearningRate/,
  );
  assert.deepEqual(rest, []);
});

Deno.test("parseTrainOptions() uses ImageNet weights by default if there is data", async () => {
  assert.equal((await parse("--data", "d")).encoderWeights, "auto");
  assert.equal((await parse("--data", "d", "--encoder-weights", "none")).encoderWeights, "none");
  assert.equal((await parse("--data", "d", "--encoder-weights", "imagenet")).encoderWeights, "imagenet");
  const given = await parse("--data", "d", "--encoder-weights", "resnet50.pth");
  assert.deepEqual(given.encoderWeights, { file: "/home/ada/resnet50.pth" });
  assert.deepEqual(given.pretrainedRecipe, makeRecipe("lrcn", {}, { pretrained: true }));
});

Deno.test("parseTrainOptions() refuses options that contradict each other", async () => {
  await refuses(["--recipe", "sample", "--data", "d"], /^Cannot use the sample recipe with data: .*; leave --recipe/);
  await refuses(["--max-images", "5"], /^Cannot use the sample recipe with data/);
  await refuses(["--splits", "s"], /^Cannot use the sample recipe with data/);
  await refuses(
    ["--images", "i"],
    /^Cannot train on images alone: no captions are named; give --data DIR or --captions/,
  );
  await refuses(["--recipe", "lrcn"], /^Cannot train with the lrcn recipe: no data is named; give --data DIR/);
  await refuses(
    ["--set", "dropuot=0.3"],
    /^Cannot set 'dropuot': there is no such setting; did you mean outputDropout or/,
  );
});

const CONFIG = {
  recipe: makeRecipe("lrcn", { epochs: 3 }),
  seed: 7,
  device: "cpu",
  precision: "fp32",
  threads: 2,
  encoderWeights: "/w.pth",
  vocabularySize: 9,
  dataset: { data: "/old/data", maxImages: 40 },
  datasetFingerprint: "0123",
};

Deno.test({
  name: "parseTrainOptions() takes all options of a resumed run from its folder",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    await Deno.writeTextFile(folder.file("config.json"), JSON.stringify({ version: 2, ...CONFIG }));
    const { recipe, pretrainedRecipe, givenSettings, cache: _, ...options } = await parse("--resume", folder.path);
    assert.deepEqual(givenSettings, []);
    assert.deepEqual([recipe, pretrainedRecipe], [CONFIG.recipe, CONFIG.recipe]);
    assert.deepEqual(options, {
      out: folder.path,
      resume: true,
      keepImages: true,
      checkpointEvery: undefined,
      tensorboard: undefined,
      seed: 7,
      device: "cpu",
      precision: "fp32",
      threads: 2,
      encoderWeights: { file: "/w.pth" },
      initialWeights: undefined,
      initialWords: undefined,
      dataset: CONFIG.dataset,
    });
    const moved = await parse("--resume", folder.path, "--data", "/new/data", "--device", "auto");
    assert.deepEqual(moved.dataset, { data: "/new/data", maxImages: 40 });
    assert.equal(moved.device, "auto");
    assert.equal((await parse("--resume", folder.path, "--cache", "c")).cache, "/home/ada/c");
    assert.equal((await parse("--resume", folder.path, "--cache", "c")).cache, "/home/ada/c");
    await refuses(
      ["--resume", folder.path, "--epochs", "9", "--seed", "3"],
      /^Cannot change --epochs, --seed of a resumed run: leave it out, or start a new run without --resume$/,
    );
    await refuses(["--resume", folder.file("other")], /^Cannot resume '.*other': 'config\.json' cannot be read/);
  },
});

Deno.test({
  name: "parseTrainOptions() starts self-critical training from a run's best model, with its data, seed and vocabulary",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    await Deno.writeTextFile(folder.file("config.json"), JSON.stringify({ version: 2, ...CONFIG }));
    const run = ["--self-critical", folder.path];
    const options = await parse(...run, "--out", "out", "--baseline", "samples");
    assert.deepEqual([options.initialWeights, options.resume], [folder.file("best.safetensors"), false]);
    assert.deepEqual([options.seed, options.dataset, options.out], [7, CONFIG.dataset, "/home/ada/out"]);
    assert.deepEqual(options.encoderWeights, { file: undefined });
    const { objective, baseline, epochs, frozenEpochs, embeddingDropout, bestBy, ...rest } = options.recipe;
    assert.deepEqual([objective, baseline, epochs, frozenEpochs], ["self-critical", "samples", 10, 10]);
    assert.deepEqual([embeddingDropout, bestBy, rest.augmentation], [0, "cider", "none"]);
    const same = ["minCount", "maxLength", "hiddenSize", "imageSize", "encoderBlocks", "tokenizer"] as const;
    for (const name of same) assert.deepEqual(rest[name], CONFIG.recipe[name]);
    const changed = await parse(...run, "--epochs", "4", "--set", "samples=3", "--data", "moved");
    assert.deepEqual([changed.recipe.frozenEpochs, changed.recipe.samples], [4, 3]);
    assert.equal(changed.dataset?.data, "/home/ada/moved");
    await refuses(
      [...run, "--seed", "1", "--hidden-size", "9"],
      /^Cannot change --seed, --hidden-size of the run whose/,
    );
    await refuses([...run, "--baseline", "samples", "--set", "samples=1"], /^Cannot compare samples with each other/);
    await refuses(["--data", "d", "--set", "objective=self-critical"], /--self-critical RUN$/);
    const notebook = { ...CONFIG, recipe: makeRecipe("notebook") };
    await Deno.writeTextFile(folder.file("config.json"), JSON.stringify({ version: 2, ...notebook }));
    await refuses(run, /^Cannot train self-critically after the notebook recipe/);
  },
});

Deno.test({
  name: "parseTrainOptions() repeats a run by its config.json, with what is given changed",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const file = folder.file("config.json");
    await Deno.writeTextFile(file, JSON.stringify({ version: 2, ...CONFIG }));
    for (const given of [file, folder.path]) {
      const { recipe, seed, dataset, encoderWeights, resume, out } = await parse("--config", given);
      assert.deepEqual([recipe, seed, dataset, resume], [CONFIG.recipe, 7, CONFIG.dataset, false]);
      assert.deepEqual(encoderWeights, { file: "/w.pth" });
      assert.equal(out, `/home/ada/runs/2026-03-05-070809-${CONFIG.recipe.name}`);
    }
    const changes = [
      "--seed",
      "8",
      "--data",
      "new",
      "--epochs",
      "2",
      "--set",
      "outputDropout=0.1",
      "--encoder-weights",
    ];
    const changed = await parse("--config", file, ...changes, "none");
    assert.deepEqual(changed.recipe, { ...CONFIG.recipe, epochs: 2, outputDropout: 0.1 });
    assert.deepEqual([changed.seed, changed.dataset?.data, changed.encoderWeights], [8, "/home/ada/new", "none"]);
    await refuses(["--config", file, "--encoder", "resnet18"], /^Cannot change --encoder with --config/);
    await refuses(["--config", file, "--resume", folder.path], /^Cannot change --config of a resumed run/);
    await refuses(["--config", "gone.json"], /^Cannot train with the settings of '.*gone\.json': .* no such file/);
  },
});

Deno.test({
  name: "parseTrainOptions() fine-tunes a checkpoint, and names the option that conflicts with it",
  ...NEEDS_FILES,
  async fn() {
    const run = ["--data", "d", "--init-from", SMALL_CAPTIONER];
    const options = await parse(...run, "--epochs", "6", "--finetune-after", "never", "--finetune-from", "layer3");
    const { imageSize, hiddenSize, encoderWidth, minCount, frozenEpochs, batchNorm, trainableFrom } = options.recipe;
    assert.deepEqual([imageSize, hiddenSize, encoderWidth, minCount], [16, 12, 4, 2]);
    assert.deepEqual([frozenEpochs, batchNorm, trainableFrom], [6, "frozen", "layer3"]);
    assert.deepEqual(options.pretrainedRecipe, options.recipe);
    assert.deepEqual([options.encoderWeights, options.initialWeights], [{ file: undefined }, SMALL_CAPTIONER]);
    assert.equal(options.initialWords?.length, 16);
    assert.equal(options.dataset?.data, "/home/ada/d");
    await parse(...run, "--image-size", "16");

    const conflict = (option: string, value: string) =>
      new RegExp(`^Cannot change ${option}: '.*captioner.safetensors' was trained with ${value}; leave it out$`);
    await refuses([...run, "--image-size", "224"], conflict("--image-size", "imageSize=16"));
    await refuses([...run, "--encoder", "efficientnet-lite2"], conflict("--encoder", "encoder=resnet50"));
    await refuses([...run, "--variant", "2u"], conflict("--variant", "fusionLayers=1"));
    await refuses([...run, "--set", "resize=stretch"], conflict("--set resize", "resize=crop"));
    await refuses([...run, "--encoder-weights", "none"], /^Cannot use --encoder-weights with --init-from/);
    await refuses([...run, "--recipe", "notebook"], /^Cannot fine-tune a checkpoint with the notebook recipe/);
    await refuses(["--init-from", SMALL_CAPTIONER], /^Cannot fine-tune: no data is named/);
    await refuses(
      ["--data", "d", "--init-from", "gone"],
      /^Cannot find a checkpoint 'gone': there is no such file and no such run/,
    );
  },
});

Deno.test("addTrainOptions() lets commander refuse values out of range", async () => {
  for (
    const words of [
      ...[["--epochs", "0"], ["--seed", "x"], ["--device", "tpu"], ["--recipe", "lcrn"], ["--set", "a"]],
      ...[["--variant", "3u"], ["--finetune-after", "soon"], ["--finetune-from", "layer5"], ["--inject", "last"]],
    ]
  ) {
    await assert.rejects(parse(...words), { code: "commander.invalidArgument" }, words.join(" "));
  }
});

Deno.test("addTrainOptions() lists every setting in the help", () => {
  let help = "";
  const command = addTrainOptions(createCommand("train", "")).configureOutput({ writeOut: (text) => help += text });
  command.outputHelp();
  for (const { name, meaning } of describeSettings()) assert(help.includes(meaning) && help.includes(name), name);
});

Deno.test("parseTrainOptions() computes the notebook recipe in float32 by default", async () => {
  assert.equal((await parse("--recipe", "notebook", "--data", "d")).precision, "fp32");
  assert.equal((await parse("--recipe", "notebook", "--data", "d", "--precision", "bf16")).precision, "bf16");
});
