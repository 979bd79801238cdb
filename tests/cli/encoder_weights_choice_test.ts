import assert from "node:assert/strict";
import {
  chooseEncoderWeights,
  type ChooseEncoderWeightsOptions,
  type EncoderWeightsChoice,
} from "../../src/cli/encoder_weights_choice.ts";
import { InputError } from "../../src/input_error.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { silentReporter } from "../pipeline/silent_reporter.ts";
import { NEEDS_FILES, temporaryFolder } from "../checkpoint/temporary_folder.ts";

/** Chooses in an empty cache; the download is recorded, and gives a path or fails. */
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

choiceTest("chooseEncoderWeights() by itself downloads nothing for a CNN that is no ResNet-50", async () => {
  for (const changes of [{ encoderWidth: 8 }, { encoderBlocks: [1, 1, 1, 1] as [number, number, number, number] }]) {
    const { path, downloads, notes } = await choose("auto", { recipe: makeRecipe("lrcn", changes) });
    assert.deepEqual([path, downloads], [undefined, []]);
    assert.match(notes[0] ?? "", /which there are for ResNet-50 alone: the CNN is trained from scratch/);
  }
});

choiceTest("chooseEncoderWeights() says that captions will be poor without weights, but of the sample", async () => {
  const photographs = await choose("none");
  assert.match(
    photographs.notes[0] ?? "",
    /captions will be poor; give ImageNet weights by --encoder-weights imagenet$/,
  );
  const sample = await choose("none", { recipe: makeRecipe("sample") });
  assert.deepEqual([photographs.path, sample.path, sample.notes], [undefined, undefined, []]);
});

choiceTest("chooseEncoderWeights() passes on what is no wrong input", async () => {
  const denied = { download: () => Promise.reject(new Deno.errors.NotCapable("net")) };
  await assert.rejects(choose("auto", denied), Deno.errors.NotCapable);
});
