/**
 * Captioning the photographs of a folder, beside PyTorch in Python with PIL and the same beam: A B A B, one at a time,
 * medians. Loading is not counted.
 *
 *     deno run --allow-ffi=native/build/liblrcn.so --allow-read --allow-write --allow-run --allow-env \
 *       bench/caption_folder.ts best.safetensors folder [python]
 *
 * The model must be of the 1u variant with the image at every word, and the Python have torch, numpy and Pillow.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Captioner } from "../src/captioning/captioner.ts";
import { exportModel } from "../src/checkpoint/export_model.ts";
import { captionFiles } from "../src/cli/caption_files.ts";
import { findInputs } from "../src/cli/caption_inputs.ts";

const ROUNDS = 3;
const BEAM = 3;
const SCRIPT = fileURLToPath(new URL("pytorch/caption_folder.py", import.meta.url));

interface Run {
  readonly seconds: number;
  readonly captions: readonly string[];
}

async function filesOf(folder: string): Promise<string[]> {
  const { images } = await findInputs([folder], { path: (path) => path, standardInput: new ReadableStream() });
  const files: string[] = [];
  for await (const image of images) if ("path" in image) files.push(image.path);
  return files;
}

async function ours(checkpoint: string, files: readonly string[], precision: "fp32" | "bf16"): Promise<Run> {
  using captioner = await Captioner.load(checkpoint, { precision });
  const { imageSize } = captioner.metadata.preprocessing;
  const blank = { width: imageSize, height: imageSize, pixels: new Uint8Array(imageSize * imageSize * 3) };
  await captioner.caption(new Array(16).fill(blank), { beam: BEAM, badEndings: [] });
  const inputs = ReadableStream.from(files.map((path) => ({ name: path, path })));
  const captions: string[] = [];
  const start = performance.now();
  for await (const result of captionFiles(captioner, inputs, { beam: BEAM, badEndings: [] })) {
    if ("tokens" in result) captions.push(result.tokens.join(" "));
  }
  return { seconds: (performance.now() - start) / 1000, captions };
}

/** What the script needs to know of a model besides its words. */
async function settingsOf(checkpoint: string): Promise<string> {
  using captioner = await Captioner.load(checkpoint);
  const { model, preprocessing, decoding } = captioner.metadata;
  if (model.languageLayers !== 0 || model.fusionLayers !== 1 || model.inject !== "every") {
    throw new Error("the model must be of the 1u variant with the image at every word");
  }
  return JSON.stringify({
    model: {
      vocabulary: model.vocabularySize,
      embed: model.embedSize,
      hidden: model.hiddenSize,
      language: 0,
      fusion: 1,
      inject: "every",
      image_step: false,
      width: model.encoderWidth,
      blocks: model.encoderBlocks,
    },
    ...{ size: preprocessing.imageSize, short: preprocessing.shortSide, most: decoding.maxWords, beam: BEAM },
  });
}

async function theirs(python: string, args: readonly string[]): Promise<Run> {
  const { code, stdout, stderr } = await new Deno.Command(python, { args: [SCRIPT, ...args] }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const [checkpoint = "", folder = "", python = "python3"] = Deno.args;
const files = await filesOf(folder);
const temporary = await Deno.makeTempDir();
try {
  const out = join(temporary, "model.pth");
  const { vocabulary } = await exportModel(checkpoint, { out });
  const settings = await settingsOf(checkpoint);
  const runs: Record<string, Run[]> = { "lrcn fp32": [], "lrcn bf16": [], "PyTorch fp32": [] };
  for (let round = 0; round < ROUNDS; round++) {
    runs["lrcn fp32"]?.push(await ours(checkpoint, files, "fp32"));
    runs["PyTorch fp32"]?.push(await theirs(python, [out, vocabulary, settings, ...files]));
    runs["lrcn bf16"]?.push(await ours(checkpoint, files, "bf16"));
  }
  const base = median(runs["PyTorch fp32"]?.map(({ seconds }) => seconds) ?? []);
  const expected = runs["PyTorch fp32"]?.[0]?.captions ?? [];
  for (const [name, all] of Object.entries(runs)) {
    const seconds = median(all.map(({ seconds }) => seconds));
    const same = all[0]?.captions.filter((caption, index) => caption === expected[index]).length ?? 0;
    console.log(
      `${name.padEnd(13)} ${(files.length / seconds).toFixed(2).padStart(7)} images/s  ${
        (base / seconds).toFixed(2)
      } x  captions as PyTorch's: ${same} of ${files.length}`,
    );
  }
} finally {
  await Deno.remove(temporary, { recursive: true });
}
