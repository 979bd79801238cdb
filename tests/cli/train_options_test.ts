import assert from "node:assert/strict";
import { createCommand } from "../../src/cli/command.ts";
import { addTrainOptions, parseTrainOptions } from "../../src/cli/train_options.ts";
import { InputError } from "../../src/input_error.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";

/** The options that a command line gives, in a folder /home/ada on 5 March 2026, 07:08:09. */
function parse(...words: string[]) {
  const command = addTrainOptions(createCommand("train", "")).configureOutput({ writeErr: () => {} });
  command.parse(words, { from: "user" });
  return parseTrainOptions(command.opts(), {
    now: new Date(2026, 2, 5, 7, 8, 9),
    path: (path) => path.startsWith("/") ? path : `/home/ada/${path}`,
  });
}

function refuses(words: string[], message: RegExp): void {
  assert.throws(() => parse(...words), (error) => error instanceof InputError && message.test(error.message));
}

Deno.test("parseTrainOptions() without an argument is the sample recipe in a run named by time", () => {
  assert.deepEqual(parse(), {
    recipe: makeRecipe("sample"),
    out: "/home/ada/runs/2026-03-05-070809-sample",
    seed: 0,
    device: "auto",
    precision: "auto",
    threads: 0,
    encoderWeights: undefined,
    dataset: undefined,
  });
});

Deno.test("parseTrainOptions() with data is the lrcn recipe on it", () => {
  const { recipe, out, dataset } = parse("--data", "flickr8k", "--max-images", "200", "--splits", "/lists");
  assert.deepEqual(recipe, makeRecipe("lrcn"));
  assert.equal(out, "/home/ada/runs/2026-03-05-070809-lrcn");
  assert.deepEqual(dataset, {
    data: "/home/ada/flickr8k",
    captions: undefined,
    images: undefined,
    splits: "/lists",
    maxImages: 200,
  });
  assert.deepEqual(parse("--captions", "c.txt", "--images", "i").dataset, {
    data: undefined,
    captions: "/home/ada/c.txt",
    images: "/home/ada/i",
    splits: undefined,
    maxImages: undefined,
  });
});

Deno.test("parseTrainOptions() changes a recipe by options and by --set", () => {
  const { recipe, threads, seed } = parse(
    ...["--data", "d", "--recipe", "notebook", "--epochs", "2", "--batch-size", "8", "--image-size", "96"],
    ...["--set", "dropout=0.25", "--set", "encoderBlocks=1,1,1,1", "--threads", "1", "--seed", "7"],
  );
  assert.deepEqual(
    recipe,
    makeRecipe("notebook", { epochs: 2, batchSize: 8, imageSize: 96, dropout: 0.25, encoderBlocks: [1, 1, 1, 1] }),
  );
  assert.deepEqual([threads, seed], [1, 7]);
});

Deno.test("parseTrainOptions() freezes the CNN at first where its weights are given", () => {
  const given = parse("--data", "d", "--encoder-weights", "resnet50.pth");
  assert.equal(given.encoderWeights, "/home/ada/resnet50.pth");
  assert.deepEqual(given.recipe, makeRecipe("lrcn", {}, { pretrained: true }));
  assert.equal(parse("--data", "d", "--encoder-weights", "none").encoderWeights, undefined);
});

Deno.test("parseTrainOptions() refuses options that do not go together", () => {
  refuses(["--recipe", "sample", "--data", "d"], /^Cannot use the sample recipe with data: .*; leave --recipe sample/);
  refuses(["--max-images", "5"], /^Cannot use the sample recipe with data/);
  refuses(["--splits", "s"], /^Cannot use the sample recipe with data/);
  refuses(["--recipe", "lrcn"], /^Cannot train with the lrcn recipe: no data are named; give --data DIR/);
  refuses(["--recipe", "notebook", "--images", "i"], /^Cannot train with the notebook recipe: no data are named/);
  refuses(["--set", "dropuot=0.3"], /^Cannot set 'dropuot': there is no such setting; known are .*dropout/);
});

Deno.test("addTrainOptions() lets commander refuse values out of range", () => {
  for (const words of [["--epochs", "0"], ["--seed", "x"], ["--device", "tpu"], ["--recipe", "lcrn"], ["--set", "a"]]) {
    assert.throws(() => parse(...words), { code: "commander.invalidArgument" }, words.join(" "));
  }
});

Deno.test("parseTrainOptions() computes the notebook recipe in float32 unless told otherwise", () => {
  assert.equal(parse("--recipe", "notebook", "--data", "d").precision, "fp32");
  assert.equal(parse("--recipe", "notebook", "--data", "d", "--precision", "bf16").precision, "bf16");
});
