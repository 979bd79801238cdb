import { downloadImagenetWeights, IMAGENET_WEIGHTS } from "../checkpoint/imagenet_weights.ts";
import { InputError } from "../input_error.ts";
import { join } from "node:path";
import type { Recipe } from "./recipe.ts";
import type { Reporter } from "../reporter.ts";

/** The choices besides a file. */
export const ENCODER_WEIGHTS = ["auto", "none", "imagenet", "imagenet-v2"] as const;

/** A choice, or a file; a resumed run has the file that it started with, if any. */
export type EncoderWeightsChoice = typeof ENCODER_WEIGHTS[number] | { readonly file: string | undefined };

/** Options of {@linkcode chooseEncoderWeights}. */
export interface ChooseEncoderWeightsOptions {
  /** The folder of downloads. */
  readonly folder: string;
  /** The encoder; published weights are ResNet-50's. */
  readonly recipe: Pick<Recipe, "encoderWidth" | "encoderBlocks">;
  readonly reporter: Reporter;
  /** Ends the download. */
  readonly signal: AbortSignal;
  /**
   * Gives the file out of the folder, or downloads it.
   *
   * @default {downloadImagenetWeights}
   */
  readonly download?: typeof downloadImagenetWeights;
}

const MEGABYTE = 1e6;
const RESNET_50 = { encoderWidth: 64, encoderBlocks: [3, 4, 6, 3] };
const FROM_SCRATCH = "the encoder is trained from scratch, and captions will be poor";

/**
 * Finds the file of the CNN's first weights, and downloads it where it must.
 *
 * @param choice What the user chose.
 * @param options See {@linkcode ChooseEncoderWeightsOptions}.
 * @returns The file, or undefined for a CNN from scratch.
 * @throws {InputError} If weights that were asked for cannot be had, or are not for this CNN.
 */
export async function chooseEncoderWeights(
  choice: EncoderWeightsChoice,
  options: ChooseEncoderWeightsOptions,
): Promise<string | undefined> {
  const { folder, recipe, reporter, signal, download = downloadImagenetWeights } = options;
  if (typeof choice === "object") return choice.file;
  if (choice === "none") {
    reporter.warn(`No pretrained weights: ${FROM_SCRATCH}; give ImageNet weights by --encoder-weights imagenet`);
    return undefined;
  }
  const unlike = unlikeResNet50(recipe);
  if (unlike !== undefined) {
    if (choice !== "auto") {
      throw new InputError(
        `Cannot use --encoder-weights ${choice}: its ResNet-50 has ${unlike}; change that by --set, or train from scratch ` +
          "by --encoder-weights none",
      );
    }
    reporter.warn(`No pretrained weights: they exist only for ResNet-50 with ${unlike}; ${FROM_SCRATCH}`);
    return undefined;
  }
  try {
    return await download(choice === "auto" ? "imagenet" : choice, {
      ...{ folder, signal, onNote: (line) => reporter.note(line) },
      onProgress: (done, total) =>
        reporter.progress(
          "Downloading ImageNet weights (MB)",
          Math.floor(done / MEGABYTE),
          Math.floor(total / MEGABYTE),
        ),
    });
  } catch (error) {
    if (choice !== "auto" || !(error instanceof InputError)) throw error;
    reporter.warn(`No pretrained weights: ${FROM_SCRATCH}. ${error.message}`);
    return undefined;
  }
}

/** What a training would begin with, as far as that is known without a network. */
export interface LocalWeights {
  /** The file, where it is there already. */
  readonly file: string | undefined;
  /** Whether the CNN will begin with pretrained weights. */
  readonly pretrained: boolean;
  /** What the user should know. */
  readonly notes: readonly string[];
}

/**
 * Finds what {@linkcode chooseEncoderWeights} would, and downloads nothing.
 *
 * @param choice What the user chose.
 * @param options The folder of downloads, and the CNN.
 * @returns The file, or that there is none yet.
 * @throws {InputError} If the weights are not for this CNN.
 */
export async function chooseLocalWeights(
  choice: EncoderWeightsChoice,
  options: Pick<ChooseEncoderWeightsOptions, "folder" | "recipe">,
): Promise<LocalWeights> {
  const notes: string[] = [];
  let missing: string | undefined;
  const file = await chooseEncoderWeights(choice, {
    ...options,
    reporter: { note: (line) => notes.push(line), warn: (line) => notes.push(line), progress() {} },
    signal: new AbortController().signal,
    async download(name) {
      const path = join(options.folder, IMAGENET_WEIGHTS[name]);
      if (!await Deno.stat(path).then(({ isFile }) => isFile, () => false)) missing = IMAGENET_WEIGHTS[name];
      return path;
    },
  });
  if (missing === undefined) return { file, pretrained: file !== undefined, notes };
  const note = `${missing} is not downloaded yet: training will fetch it (103 MB); examined with random weights`;
  return { file: undefined, pretrained: true, notes: [note] };
}

/** The settings that differ from ResNet-50's, or undefined. */
function unlikeResNet50(recipe: ChooseEncoderWeightsOptions["recipe"]): string | undefined {
  const unlike = (["encoderWidth", "encoderBlocks"] as const)
    .filter((setting) => `${recipe[setting]}` !== `${RESNET_50[setting]}`)
    .map((setting) => `${setting}=${RESNET_50[setting]} where this run has ${recipe[setting]}`);
  return unlike.length === 0 ? undefined : unlike.join(" and ");
}
