/**
 * Where the encoder's first weights come from.
 *
 * @module
 */

import { join } from "node:path";
import { findImagenetWeights, hasInstalledWeights } from "../checkpoint/imagenet_weights.ts";
import { type Encoder, ENCODERS } from "../ffi/encoders.ts";
import { InputError } from "../input_error.ts";
import type { Recipe } from "./recipe.ts";
import type { Reporter } from "../reporter.ts";

/** The choices that are no file. */
export const ENCODER_WEIGHTS = ["auto", "imagenet", "none"] as const;

/** A choice, or a file; for a resumed run, the file that it began with, if any. */
export type EncoderWeightsChoice = typeof ENCODER_WEIGHTS[number] | { readonly file: string | undefined };

/** What {@linkcode chooseEncoderWeights} needs to know. */
export interface ChooseEncoderWeightsOptions {
  /** Where downloads are kept. */
  readonly folder: string;
  /** The encoder. */
  readonly recipe: Pick<Recipe, "name" | "encoder" | "encoderWidth" | "encoderBlocks">;
  /** Where it tells what it does. */
  readonly reporter: Pick<Reporter, "note" | "progress">;
  /** Ends the download. */
  readonly signal: AbortSignal;
  /**
   * Gives the file out of the folder, or downloads it.
   *
   * @default {findImagenetWeights}
   */
  readonly find?: typeof findImagenetWeights;
}

const MEGABYTE = 1e6;
const FROM_SCRATCH = "the encoder is trained from scratch, and captions will be poor";
/** The encoder whose weights the build installs. */
const INSTALLED = "efficientnet-lite2";

/**
 * Finds the file of the encoder's first weights, and downloads it if it must.
 *
 * @param choice What the user chose.
 * @param options See {@linkcode ChooseEncoderWeightsOptions}.
 * @returns The file, or undefined for an encoder from scratch.
 * @throws {InputError} If weights cannot be had, or are not for this encoder.
 */
export async function chooseEncoderWeights(
  choice: EncoderWeightsChoice,
  options: ChooseEncoderWeightsOptions,
): Promise<string | undefined> {
  const { folder, recipe, reporter, signal, find = findImagenetWeights } = options;
  if (typeof choice === "object") return choice.file;
  if (choice === "none") {
    if (recipe.name !== "sample") {
      reporter.note(`No pretrained weights: ${FROM_SCRATCH}; give ImageNet weights by --encoder-weights imagenet`);
    }
    return undefined;
  }
  const unlike = unlikePublished(recipe);
  if (unlike !== undefined) {
    if (choice !== "auto") {
      throw new InputError(
        `Cannot use --encoder-weights ${choice}: the published ${recipe.encoder} has ${unlike}; change that by --set, or ` +
          "train from scratch by --encoder-weights none",
      );
    }
    reporter.note(`No pretrained weights, since the published ${recipe.encoder} has ${unlike}: ${FROM_SCRATCH}`);
    return undefined;
  }
  try {
    return await find(recipe.encoder, {
      ...{ folder, signal, onNote: (line) => reporter.note(line) },
      onProgress: (done, total) =>
        reporter.progress(
          "Downloading ImageNet weights (MB)",
          Math.floor(done / MEGABYTE),
          Math.floor(total / MEGABYTE),
        ),
    });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const other = recipe.encoder === INSTALLED
      ? ""
      : `--encoder ${INSTALLED}${await hasInstalledWeights(INSTALLED) ? ", whose weights are there already" : ""}, or `;
    throw new InputError(`${error.message}, or use ${other}--encoder-weights none to train from scratch`, {
      cause: error,
    });
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
  let missing: Encoder | undefined;
  const file = await chooseEncoderWeights(choice, {
    ...options,
    reporter: { note: (line) => notes.push(line), progress() {} },
    signal: new AbortController().signal,
    async find(name, found) {
      const encoder: Encoder = ENCODERS[name];
      if (encoder.weightsPackage !== undefined) return await findImagenetWeights(name, found);
      const path = join(options.folder, encoder.weights);
      if (!await Deno.stat(path).then(({ isFile }) => isFile, () => false)) missing = encoder;
      return path;
    },
  });
  if (missing === undefined) return { file, pretrained: file !== undefined, notes };
  const { weights, megabytes } = missing;
  const note = `${weights} is not there yet: train will fetch its ${megabytes} MB; examined with random weights`;
  return { file: undefined, pretrained: true, notes: [note] };
}

/** The settings in which an encoder differs from the published one, or undefined if it does not. */
function unlikePublished(recipe: ChooseEncoderWeightsOptions["recipe"]): string | undefined {
  const { width, blocks } = ENCODERS[recipe.encoder];
  const unlike = Object.entries({ encoderWidth: width, encoderBlocks: blocks }).flatMap(([setting, published]) => {
    const given = setting === "encoderWidth" ? recipe.encoderWidth : recipe.encoderBlocks;
    return `${given}` === `${published}` ? [] : [`${setting}=${published} and this run ${given}`];
  });
  return unlike.length === 0 ? undefined : unlike.join(", and ");
}
