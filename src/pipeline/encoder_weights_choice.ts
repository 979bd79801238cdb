import { join } from "node:path";
import { findImagenetWeights, hasInstalledWeights } from "../checkpoint/imagenet_weights.ts";
import { type Encoder, ENCODERS } from "../ffi/encoders.ts";
import { InputError } from "../input_error.ts";
import type { Recipe } from "./recipe.ts";
import type { Reporter } from "../reporter.ts";

/** The choices besides a file. */
export const ENCODER_WEIGHTS = ["auto", "imagenet", "none"] as const;

/** A choice, or a file; a resumed run has the file that it started with, if any. */
export type EncoderWeightsChoice = typeof ENCODER_WEIGHTS[number] | { readonly file: string | undefined };

/** Options of {@linkcode chooseEncoderWeights}. */
export interface ChooseEncoderWeightsOptions {
  /** The folder of downloads. */
  readonly folder: string;
  readonly recipe: Pick<Recipe, "encoder" | "encoderWidth" | "encoderBlocks">;
  readonly reporter: Reporter;
  /** Ends the download. */
  readonly signal: AbortSignal;
  /**
   * Finds the file in the folder, or downloads it.
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
 * Finds the file of the encoder's pretrained weights, and downloads it if necessary.
 *
 * @returns The file, or undefined for an encoder from scratch.
 * @throws {InputError} If weights are missing and cannot be downloaded, or belong to another encoder.
 */
export async function chooseEncoderWeights(
  choice: EncoderWeightsChoice,
  options: ChooseEncoderWeightsOptions,
): Promise<string | undefined> {
  const { folder, recipe, reporter, signal, find = findImagenetWeights } = options;
  if (typeof choice === "object") return choice.file;
  if (choice === "none") {
    reporter.warn(`No pretrained weights: ${FROM_SCRATCH}; give ImageNet weights by --encoder-weights imagenet`);
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
    reporter.warn(`No pretrained weights: the published ${recipe.encoder} has ${unlike}; ${FROM_SCRATCH}`);
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

/** The weights that a training would start from, as far as they are known without a network. */
export interface LocalWeights {
  /** The file, if it is there already. */
  readonly file: string | undefined;
  /** Whether the encoder will start from pretrained weights. */
  readonly pretrained: boolean;
  /** Lines for the user. */
  readonly notes: readonly string[];
}

/**
 * Finds what {@linkcode chooseEncoderWeights} would, and downloads nothing.
 *
 * @throws {InputError} If the weights belong to another encoder, or the build should have installed them and has not.
 */
export async function chooseLocalWeights(
  choice: EncoderWeightsChoice,
  options: Pick<ChooseEncoderWeightsOptions, "folder" | "recipe">,
): Promise<LocalWeights> {
  const notes: string[] = [];
  let missing: Encoder | undefined;
  const file = await chooseEncoderWeights(choice, {
    ...options,
    reporter: { note: (line) => notes.push(line), warn: (line) => notes.push(line), progress() {} },
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
  const note =
    `${weights} is not downloaded yet: training will fetch it (${megabytes} MB); examined with random weights`;
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
