import assert from "node:assert/strict";
import { downloadImagenetWeights } from "../../src/checkpoint/imagenet_weights.ts";
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
    download(name, { onProgress }) {
      downloads.push(name);
      onProgress?.(49_000_000, 98_000_000);
      return Promise.resolve(`/cache/${name}.pth`);
    },
    ...changes,
  });
  return { path, downloads, notes: reporter.notes, tasks: [...reporter.tasks] };
}

const NO_NETWORK: Partial<ChooseEncoderWeightsOptions> = {
  download: () => Promise.reject(new InputError("Cannot download it: no network; download it elsewhere")),
};

function choiceTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ...NEEDS_FILES, fn });
}

choiceTest("chooseEncoderWeights() takes a file as it is", async () => {
  const { path, downloads, notes } = await choose({ file: "/home/ada/resnet50.pth" });
  assert.deepEqual([path, downloads, notes], ["/home/ada/resnet50.pth", [], []]);
});

choiceTest(
  "chooseEncoderWeights() downloads ImageNet weights where they are asked for, and shows how far it is",
  async () => {
    for (const choice of ["imagenet", "imagenet-v2"] as const) {
      const { path, downloads, tasks } = await choose(choice);
      assert.deepEqual([path, downloads], [`/cache/${choice}.pth`, [choice]]);
      assert.deepEqual(tasks, ["Downloading ImageNet weights (MB)"]);
    }
    await assert.rejects(choose("imagenet", NO_NETWORK), /Cannot download it/);
  },
);

choiceTest(
  "chooseEncoderWeights() by itself downloads them, or says in one line what is lost and how to get them",
  async () => {
    const { path, downloads } = await choose("auto");
    assert.deepEqual([path, downloads], ["/cache/imagenet.pth", ["imagenet"]]);
    const offline = await choose("auto", NO_NETWORK);
    assert.equal(offline.path, undefined);
    assert.equal(offline.notes.length, 1);
    assert.match(
      offline.notes[0] ?? "",
      /^No pretrained weights: .*captions will be poor\. Cannot download .* elsewhere$/,
    );
  },
);

choiceTest("chooseEncoderWeights() by itself leaves the second version in the cache, which 'auto' is not", async () => {
  await using cache = await temporaryFolder();
  await Deno.writeTextFile(cache.file("resnet50-11ad3fa6.pth"), "");
  const { path, downloads } = await choose("auto", { folder: cache.path });
  assert.deepEqual([path, downloads], ["/cache/imagenet.pth", ["imagenet"]]);
});

const OTHERS: [Partial<Recipe>, string][] = [
  [{ encoderWidth: 8 }, "encoderWidth=64 where this run has 8"],
  [{ encoderBlocks: [1, 1, 1, 1] }, "encoderBlocks=3,4,6,3 where this run has 1,1,1,1"],
  [
    { encoderWidth: 8, encoderBlocks: [3, 4, 6, 4] },
    "encoderWidth=64 where this run has 8 and encoderBlocks=3,4,6,3 where this run has 3,4,6,4",
  ],
];

choiceTest("chooseEncoderWeights() by itself downloads nothing for a CNN that is no ResNet-50", async () => {
  for (const [changes, settings] of OTHERS) {
    const { path, downloads, notes } = await choose("auto", { recipe: makeRecipe("lrcn", changes) });
    assert.deepEqual([path, downloads], [undefined, []]);
    const start = `No pretrained weights, which there are for ResNet-50 alone, with ${settings}: the CNN is trained`;
    assert.ok(notes[0]?.startsWith(start), String(notes[0]));
  }
});

choiceTest("chooseEncoderWeights() refuses a CNN that is no ResNet-50 before it downloads", async () => {
  for (const choice of ["imagenet", "imagenet-v2"] as const) {
    for (const [changes, settings] of OTHERS) {
      let downloads = 0;
      const refusal = choose(choice, {
        recipe: makeRecipe("lrcn", changes),
        download: () => Promise.resolve(`${++downloads}`),
      });
      await assert.rejects(refusal, {
        name: "InputError",
        message:
          `Cannot use --encoder-weights ${choice}: its ResNet-50 has ${settings}; change that by --set, or train ` +
          "from scratch by --encoder-weights none",
      });
      assert.equal(downloads, 0);
    }
  }
});

Deno.test({
  name: "chooseEncoderWeights() says that a damaged file is downloaded anew, and what can be done where it cannot be",
  ignore: NEEDS_FILES.ignore || !canServe,
  async fn() {
    await using cache = await temporaryFolder();
    await using server = startServer((_, count) => new Response(null, { status: count === 1 ? 404 : 503 }));
    const path = cache.file("resnet50-0676ba61.pth");
    await Deno.writeTextFile(path, "damaged");
    await Deno.writeTextFile(`${path}.part`, "begun");
    const { origin } = server;
    const download: typeof downloadImagenetWeights = (name, options) =>
      downloadImagenetWeights(name, { ...options, origin, pause: 1 });
    const { notes, path: chosen } = await choose("auto", { folder: cache.path, download });
    assert.equal(chosen, undefined);
    assert.equal(notes.length, 2);
    assert.ok(notes[0]?.startsWith(`'${path}' is damaged, `), String(notes[0]));
    const url = `${origin}resnet50-0676ba61.pth`;
    assert.equal(
      notes[1],
      `No pretrained weights: the CNN is trained from scratch, and captions will be poor. Cannot download ${url}: the ` +
        "server answers with status 404; what has come is kept: start again to go on with it, or download " +
        `${url} elsewhere and name the file by --encoder-weights FILE`,
    );
    await assert.rejects(choose("imagenet", { folder: cache.path, download }), { name: "InputError" });
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
  const denied = { download: () => Promise.reject(new Deno.errors.NotCapable("net")) };
  await assert.rejects(choose("auto", denied), Deno.errors.NotCapable);
});
