import assert from "node:assert/strict";
import { InputError } from "../../src/input_error.ts";
import {
  describeSettings,
  idleSettings,
  makeRecipe,
  RECIPE_NAMES,
  sideBeforeCrop,
  VARIANTS,
} from "../../src/pipeline/recipe.ts";

Deno.test("makeRecipe() knows three recipes, each of a ResNet and one LSTM; the sample's ResNet is small", () => {
  assert.deepEqual(RECIPE_NAMES.toSorted(), ["lrcn", "notebook", "sample"]);
  const encoders = {
    lrcn: ["resnet50", 64, [3, 4, 6, 3]],
    notebook: ["resnet50", 64, [3, 4, 6, 3]],
    sample: ["resnet18", 32, [1, 1, 1, 1]],
  };
  for (const name of RECIPE_NAMES) {
    const { encoder, encoderWidth, encoderBlocks, languageLayers, fusionLayers, ...recipe } = makeRecipe(name);
    assert.equal(recipe.name, name);
    assert.deepEqual([encoder, encoderWidth, encoderBlocks], encoders[name]);
    assert.deepEqual([languageLayers, fusionLayers], [0, 1]);
  }
});

Deno.test("makeRecipe() gives the notebook's numbers", () => {
  const { batchSize, embedSize, hiddenSize, minVocabulary, maxLength, epochs, ...recipe } = makeRecipe("notebook");
  assert.deepEqual([batchSize, embedSize, hiddenSize, minVocabulary, maxLength, epochs], [16, 16, 512, 15000, 30, 5]);
  const { optimizer, learningRate, encoderLearningRate, schedule, weightDecay, inject, ...rest } = recipe;
  assert.deepEqual([optimizer, learningRate, encoderLearningRate, schedule], ["adam", 1e-3, 1e-3, "constant"]);
  assert.deepEqual([weightDecay, rest.encoderWeightDecay, inject, rest.imageSize], [0, 0, "first", 224]);
  const { embeddingDropout, lstmDropout, outputDropout, labelSmoothing, scheduledSampling, gradientAccumulationSteps } =
    rest;
  assert.deepEqual([embeddingDropout, lstmDropout, outputDropout, labelSmoothing, scheduledSampling], [0, 0, 0, 0, 0]);
  assert.deepEqual([gradientAccumulationSteps, rest.augmentation, rest.batchNorm, rest.bestBy], [
    1,
    "none",
    "batch",
    "loss",
  ]);
  assert.deepEqual([rest.maxGradientNorm, rest.patience, rest.frozenEpochs, rest.minCount], [0, 0, 0, 1]);
});

Deno.test("makeRecipe() freezes a pretrained CNN first and changes it slowly, in the lrcn recipe alone", () => {
  const { frozenEpochs, frozenLearningRate, learningRate, encoderLearningRate, batchNorm } = makeRecipe(
    "lrcn",
    {},
    { pretrained: true },
  );
  assert.deepEqual([frozenEpochs, frozenLearningRate, learningRate, encoderLearningRate], [12, 8e-4, 2e-4, 5e-5]);
  assert.equal(batchNorm, "frozen");
  assert.equal(makeRecipe("lrcn").frozenEpochs, 0);
  assert.deepEqual(makeRecipe("notebook", {}, { pretrained: true }), makeRecipe("notebook"));
  assert.equal(makeRecipe("lrcn", { frozenEpochs: 3 }, { pretrained: true }).frozenEpochs, 3);
  assert.deepEqual(
    [1, 2, 3, 8].map((epochs) => makeRecipe("lrcn", { epochs }, { pretrained: true }).frozenEpochs),
    [1, 2, 3, 6],
  );
});

Deno.test("makeRecipe() takes settings as texts and as values", () => {
  const texts = {
    outputDropout: "0.25",
    encoderBlocks: "1,2,3,4",
    epochs: "7",
    schedule: "cosine",
    learningRate: "1e-2",
  };
  const values = {
    outputDropout: 0.25,
    encoderBlocks: [1, 2, 3, 4],
    epochs: 7,
    schedule: "cosine",
    learningRate: 0.01,
  };
  assert.deepEqual(makeRecipe("lrcn", texts), makeRecipe("lrcn", values));
  assert.deepEqual(makeRecipe("lrcn", texts), { ...makeRecipe("lrcn"), ...values });
});

Deno.test("makeRecipe() refuses settings that are unknown or wrong, by name and value in one line", () => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [
      { dropuot: 0 },
      /^Cannot set 'dropuot': there is no such setting; did you mean outputDropout or embeddingDropout\? .* lists all$/,
    ],
    [{ lr: 3 }, /^Cannot set 'lr': there is no such setting; did you mean learningRate\?/],
    [{ xyzzy: 3 }, /^Cannot set 'xyzzy': there is no such setting; known are splitBy, collation, .*exportPth$/],
    [{ name: "lrcn" }, /^Cannot set 'name': there is no such setting/],
    [{ toString: 1 }, /^Cannot set 'toString': there is no such setting/],
    [{ outputDropout: "1" }, /^Cannot set 'outputDropout' to '1': /],
    [{ outputDropout: "little" }, /^Cannot set 'outputDropout' to 'little': /],
    [{ epochs: "1.5" }, /^Cannot set 'epochs' to '1.5': /],
    [{ batchSize: 0 }, /^Cannot set 'batchSize' to '0': /],
    [{ hiddenSize: 2 ** 31 }, /^Cannot set 'hiddenSize' to '2147483648': /],
    [{ learningRate: "-1e-3" }, /^Cannot set 'learningRate' to '-1e-3': /],
    [{ encoderBlocks: "3,4,6" }, /^Cannot set 'encoderBlocks' to '3,4,6': /],
    [{ inject: "last" }, /^Cannot set 'inject' to 'last': /],
  ];
  for (const [changes, message] of wrong) {
    assert.throws(
      () => makeRecipe("lrcn", changes),
      (error) => error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
      String(message),
    );
  }
});

Deno.test("sideBeforeCrop() keeps ImageNet's proportion of 256 to 224, and leaves nothing to crop of a stretched image", () => {
  const side = (imageSize: number) => sideBeforeCrop({ imageSize, resize: "crop" });
  assert.deepEqual([224, 64, 96, 1].map(side), [256, 73, 110, 1]);
  for (let size = 1; size < 500; size++) assert(side(size) >= size);
  assert.equal(sideBeforeCrop({ imageSize: 224, resize: "stretch" }), 224);
});

Deno.test("makeRecipe() refuses settings that the notebook's shifts cannot have", () => {
  for (
    const changes of [{ splitBy: "image" }, { inject: "every" }, { maxLength: "2" }, { beamSize: "3" }, {
      scheduledSampling: 0.1,
    }]
  ) {
    assert.throws(() => makeRecipe("notebook", changes), /it needs splitBy=caption, inject=first/);
  }
});

Deno.test("VARIANTS has the four of the LRCN paper, by LSTM layers that read words alone and that see the image", () => {
  const layers = Object.entries(VARIANTS).map(([name, { languageLayers, fusionLayers }]) => [
    ...[name, languageLayers, fusionLayers],
  ]);
  assert.deepEqual(layers, [["1u", 0, 1], ["2u", 0, 2], ["2f", 1, 1], ["4f", 2, 2]]);
});

Deno.test("describeSettings() has a meaning for every setting but the recipe's name", () => {
  const names = describeSettings().map(({ name }) => name);
  assert.deepEqual(names.toSorted(), Object.keys(makeRecipe("lrcn")).filter((name) => name !== "name").toSorted());
  assert(describeSettings().every(({ meaning }) => meaning.length > 5));
});

Deno.test("makeRecipe() takes blank text for no number", () => {
  assert.throws(() => makeRecipe("lrcn", { learningRate: " " }), /Cannot set 'learningRate' to ' '/);
  assert.throws(() => makeRecipe("lrcn", { batchSize: "" }), InputError);
});

Deno.test("idleSettings() names each setting that was given and does nothing", () => {
  const idle = (changes: Record<string, unknown>) => {
    const lines = idleSettings(makeRecipe("lrcn", changes), Object.keys(changes));
    return lines.map((line) => /'(\w+)' has no effect/.exec(line)?.[1]);
  };
  const frozen = { epochs: 3, frozenEpochs: 3 };
  assert.deepEqual(idle({ ...frozen, learningRate: 1, trainableFrom: "layer3" }), ["learningRate", "trainableFrom"]);
  assert.deepEqual(idle({ ...frozen, frozenLearningRate: 1 }), []);
  assert.deepEqual(idle({ frozenLearningRate: 1 }), ["frozenLearningRate"]);
  assert.deepEqual(idle({ lstmDropout: 0.5 }), ["lstmDropout"]);
  assert.deepEqual(idle({ lstmDropout: 0.5, fusionLayers: 2 }), []);
  assert.deepEqual(idle({ warmupSteps: 5 }), ["warmupSteps"]);
  assert.deepEqual(idle({ warmupSteps: 5, schedule: "cosine" }), []);
  assert.deepEqual(idle({ plateauFactor: 0.5 }), ["plateauFactor"]);
  assert.deepEqual(idle({ learningRate: 1, batchSize: 4 }), []);
});

Deno.test("makeRecipe() takes no setting that its checkpoints could not hold", () => {
  for (const [name, most] of [["imageSize", 3584], ["maxLength", 1000], ["beamSize", 100]] as const) {
    assert.equal(makeRecipe("lrcn", { [name]: most })[name], most);
    assert.throws(() => makeRecipe("lrcn", { [name]: most + 1 }), InputError);
  }
});
