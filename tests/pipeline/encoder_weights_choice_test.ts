import assert from "node:assert/strict";
import { findImagenetWeights } from "../../src/checkpoint/imagenet_weights.ts";
import {
  chooseEncoderWeights,
  type ChooseEncoderWeightsOptions,
  type EncoderWeightsChoice,
} from "../../src/pipeline/encoder_weights_choice.ts";
import { InputError } from "../../src/input_error.ts";
import { makeRecipe, type Recipe } from "../../src/pipeline/recipe.ts";
import { silentReporter } from "../support/silent_reporter.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { canServe, startServer } from "../checkpoint/weights_server.ts";

/** Chooses in a cache, an empty one unless another is given; the download is recorded, and gives a path or fails. */
async function choose(choice: EncoderWeightsChoice, changes: Partial<ChooseEncoderWeightsOptions> = {}) {
  await using folder = await temporaryFolder();
  const reporter = silentReporter();
  const downloads: string[] = [];
  const path = await chooseEncoderWeights(choice, {
    ...{ folder: folder.path, recipe: makeRecipe("lrcn"), reporter, signal: new AbortController().signal },
    find(name, { onProgress }) {
      downloads.push(name);
      onProgress?.(49_000_000, 98_000_000);
      return Promise.resolve(`/cache/${name}.pth`);
    },
    ...changes,
  });
  return { path, downloads, notes: reporter.notes, tasks: [...reporter.tasks] };
}

const NO_NETWORK: Partial<ChooseEncoderWeightsOptions> = {
  find: () => Promise.reject(new InputError("Cannot download it: no network; download it elsewhere")),
};

function choiceTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ...NEEDS_FILES, fn });
}

choiceTest("chooseEncoderWeights() takes a file as it is", async () => {
  const { path, downloads, notes } = await choose({ file: "/home/ada/resnet50.pth" });
  assert.deepEqual([path, downloads, notes], ["/home/ada/resnet50.pth", [], []]);
});

for (const choice of ["auto", "imagenet"] as const) {
  choiceTest(`chooseEncoderWeights() downloads the encoder's weights, and shows how far it is: ${choice}`, async () => {
    for (const encoder of ["resnet50", "resnet18", "efficientnet-lite2"] as const) {
      const { path, downloads, tasks } = await choose(choice, { recipe: makeRecipe("lrcn", { encoder }) });
      assert.deepEqual([path, downloads], [`/cache/${encoder}.pth`, [encoder]]);
      assert.deepEqual(tasks, ["Downloading ImageNet weights (MB)"]);
    }
  });

  choiceTest(`chooseEncoderWeights() ends in one line with both ways out if there are none: ${choice}`, async () => {
    await assert.rejects(choose(choice, NO_NETWORK), {
      name: "InputError",
      message:
        /^Cannot download it: no network; download it elsewhere, or use --encoder efficientnet-lite2(, whose weights are there already)?, or --encoder-weights none to train from scratch$/,
    });
    const recipe = makeRecipe("lrcn", { encoder: "efficientnet-lite2" });
    await assert.rejects(choose(choice, { ...NO_NETWORK, recipe }), {
      message: /elsewhere, or use --encoder-weights none to train from scratch$/,
    });
  });
}

const OTHERS: [Partial<Recipe>, string][] = [
  [{ encoderWidth: 8 }, "the published resnet50 has encoderWidth=64 and this run 8"],
  [{ encoderBlocks: [1, 1, 1, 1] }, "the published resnet50 has encoderBlocks=3,4,6,3 and this run 1,1,1,1"],
  [
    { encoderWidth: 8, encoderBlocks: [3, 4, 6, 4] },
    "the published resnet50 has encoderWidth=64 and this run 8, and encoderBlocks=3,4,6,3 and this run 3,4,6,4",
  ],
  [
    { encoder: "efficientnet-lite0", encoderWidth: 110 },
    "the published efficientnet-lite0 has encoderWidth=100 and this run 110",
  ],
];

choiceTest("chooseEncoderWeights() by itself downloads nothing for an encoder of another size", async () => {
  for (const [changes, settings] of OTHERS) {
    const { path, downloads, notes } = await choose("auto", { recipe: makeRecipe("lrcn", changes) });
    assert.deepEqual([path, downloads], [undefined, []]);
    const start = `No pretrained weights: ${settings}; the encoder is trained from scratch`;
    assert.ok(notes[0]?.startsWith(start), String(notes[0]));
  }
});

choiceTest("chooseEncoderWeights() refuses an encoder of another size before it downloads", async () => {
  for (const [changes, settings] of OTHERS) {
    let downloads = 0;
    const refusal = choose("imagenet", {
      recipe: makeRecipe("lrcn", changes),
      find: () => Promise.resolve(`${++downloads}`),
    });
    await assert.rejects(refusal, {
      name: "InputError",
      message: `Cannot use --encoder-weights imagenet: ${settings}; change that by --set, or train from scratch by ` +
        "--encoder-weights none",
    });
    assert.equal(downloads, 0);
  }
});

Deno.test({
  name: "chooseEncoderWeights() says that a damaged file is downloaded anew, and what can be done where it cannot be",
  ignore: NEEDS_FILES.ignore || !canServe,
  async fn() {
    await using cache = await temporaryFolder();
    await using server = startServer(() => new Response(null, { status: 404 }));
    const path = cache.file("resnet50-0676ba61.pth");
    await Deno.writeTextFile(path, "damaged");
    const { origin } = server;
    const find: typeof findImagenetWeights = (name, options) => findImagenetWeights(name, { ...options, origin });
    const reporter = silentReporter();
    const url = `${origin}resnet50-0676ba61.pth`;
    await assert.rejects(choose("auto", { folder: cache.path, find, reporter }), (error) => {
      assert(error instanceof InputError);
      const start = `Cannot download ${url}: the server answers with status 404; ` +
        `download ${url} elsewhere and name the file with --encoder-weights FILE, or use --encoder `;
      assert(error.message.startsWith(start), error.message);
      return true;
    });
    assert.equal(reporter.notes.length, 1);
    assert.ok(reporter.notes[0]?.startsWith(`'${path}' is damaged, `), String(reporter.notes[0]));
    assert.equal(await Deno.readTextFile(path), "damaged");
  },
});

choiceTest(
  "chooseEncoderWeights() says that captions will be poor without weights, unless there are none to choose",
  async () => {
    const examples = await choose("none");
    assert.match(
      examples.notes[0] ?? "",
      /captions will be poor; give ImageNet weights by --encoder-weights imagenet$/,
    );
    const sample = await choose({ file: undefined });
    assert.deepEqual([examples.path, sample.path, sample.notes], [undefined, undefined, []]);
  },
);

choiceTest("chooseEncoderWeights() passes on what is no wrong input", async () => {
  const denied = { find: () => Promise.reject(new Deno.errors.NotCapable("net")) };
  await assert.rejects(choose("auto", denied), Deno.errors.NotCapable);
});
