/**
 * The options of `deno task train`.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../input_error.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { makeRecipe, type Recipe, RECIPE_NAMES } from "../pipeline/recipe.ts";
import { keyValue, wholeNumber } from "./command.ts";

/** Options that any task with a model has. */
function addEngineOptions(command: Command): Command {
  return command
    .addOption(new Option("--device <name>", "where to compute").choices(["auto", "cpu", "cuda"]).default("auto"))
    .addOption(
      new Option("--precision <name>", "arithmetic").choices(["auto", "fp32", "bf16", "fp64"]).default("auto"),
    )
    .option("--threads <n>", "CPU threads, 0 for libtorch's choice", wholeNumber(0), 0);
}

/**
 * Adds the options of training.
 *
 * @param command The command.
 * @returns The command.
 */
export function addTrainOptions(command: Command): Command {
  command
    .option("--data <dir>", "folder with a captions file and images")
    .option("--captions <file>", "captions file, where it is not in --data")
    .option("--images <dir>", "folder of images, where it is not in --data")
    .option("--splits <dir>", "folder of the official split lists, where they are not beside the captions")
    .addOption(
      new Option("--recipe <name>", "settings to start from (default: lrcn with data, sample without)")
        .choices([...RECIPE_NAMES]),
    )
    .option("--out <dir>", "folder for the run's files (default: runs/<date-time>-<recipe>)")
    .option("--epochs <n>", "most epochs", wholeNumber(1))
    .option("--batch-size <n>", "photographs a step (captions in the notebook recipe)", wholeNumber(1))
    .option("--image-size <n>", "side of the square that the CNN sees, in pixels", wholeNumber(16))
    .option("--max-images <n>", "use so many photographs only, drawn at random", wholeNumber(1))
    .option("--seed <n>", "decides split, weights, order and dropout", wholeNumber(0), 0);
  return addEngineOptions(command)
    .option("--encoder-weights <file|none>", "torchvision's ResNet-50 weights, .pth or .safetensors", "none")
    .option("--set <key=value>", "any other setting of the recipe, repeatable: --set dropout=0.3", keyValue, {});
}

const schema = z.object({
  data: z.string().optional(),
  captions: z.string().optional(),
  images: z.string().optional(),
  splits: z.string().optional(),
  recipe: z.enum(RECIPE_NAMES).optional(),
  out: z.string().optional(),
  epochs: z.number().optional(),
  batchSize: z.number().optional(),
  imageSize: z.number().optional(),
  maxImages: z.number().optional(),
  seed: z.number(),
  device: z.enum(["auto", "cpu", "cuda"]),
  precision: z.enum(["auto", "fp32", "bf16", "fp64"]),
  threads: z.number(),
  encoderWeights: z.string(),
  set: z.record(z.string(), z.string()),
});

/** What a training is told on the command line. */
export interface TrainTaskOptions extends EngineOptions {
  /** The settings. */
  readonly recipe: Recipe;
  /** The run's folder. */
  readonly out: string;
  /** The seed. */
  readonly seed: number;
  /** Where the data is; undefined for drawn scenes. */
  readonly dataset: {
    readonly data: string | undefined;
    readonly captions: string | undefined;
    readonly images: string | undefined;
    readonly splits: string | undefined;
    readonly maxImages: number | undefined;
  } | undefined;
  /** Pretrained weights. */
  readonly encoderWeights: string | undefined;
}

/** What {@linkcode parseTrainOptions} needs of the outside. */
export interface ParseContext {
  /** The present, for the run's name. */
  readonly now: Date;
  /** Makes a user's path absolute. */
  readonly path: (path: string) => string;
}

/**
 * Checks the options against each other and fills in the recipe.
 *
 * @param parsed What commander found.
 * @param context See {@linkcode ParseContext}.
 * @returns All that the training needs.
 * @throws {InputError} If options do not go together or a setting is wrong.
 */
export function parseTrainOptions(parsed: unknown, context: ParseContext): TrainTaskOptions {
  const options = schema.parse(parsed);
  const { data, captions, images, splits, seed, device, threads, maxImages } = options;
  const hasData = data !== undefined || captions !== undefined;
  const name = options.recipe ?? (hasData ? "lrcn" : "sample");
  if (name === "sample" && (hasData || images !== undefined || splits !== undefined || maxImages !== undefined)) {
    throw new InputError("Cannot use the sample recipe with data: it draws its own; leave --recipe sample out");
  }
  if (name !== "sample" && !hasData) {
    throw new InputError(`Cannot train with the ${name} recipe: no data are named; give --data DIR or --captions FILE`);
  }
  // The notebook computes in float32, and its recipe's numbers are meant to be compared.
  const precision = name === "notebook" && options.precision === "auto" ? "fp32" : options.precision;
  const path = (given: string | undefined) => given === undefined ? undefined : context.path(given);
  const encoderWeights = options.encoderWeights === "none" ? undefined : path(options.encoderWeights);
  const { epochs, batchSize, imageSize } = options;
  const given = Object.entries({ epochs, batchSize, imageSize }).filter(([, value]) => value !== undefined);
  return {
    recipe: makeRecipe(name, { ...Object.fromEntries(given), ...options.set }, {
      pretrained: encoderWeights !== undefined,
    }),
    out: context.path(options.out ?? join("runs", `${timestamp(context.now)}-${name}`)),
    seed,
    device,
    precision,
    threads,
    encoderWeights,
    dataset: name === "sample" ? undefined : {
      data: path(data),
      captions: path(captions),
      images: path(images),
      splits: path(splits),
      maxImages,
    },
  };
}

/** Local time as 2026-01-31-174502, which sorts by time. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
