/**
 * The options of `deno task evaluate`.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { z } from "zod";
import { InputError } from "../input_error.ts";
import type { EvaluatedCheckpoint } from "../evaluation/evaluate_checkpoint.ts";
import { SPLIT_NAMES } from "../evaluation/checkpoint_split.ts";
import { FORMAT_NAMES } from "../data/formats/format.ts";
import { addDecodingOptions, parseDecodingOptions } from "./caption_options.ts";
import { wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";

/** How scores are printed. */
interface ScoringOptions {
  /** The path of METEOR's program. */
  readonly meteorJar: string | undefined;
  /** Whether each image's scores are given, too. */
  readonly perImage: boolean;
  /** Whether they are printed for programs. */
  readonly json: boolean;
}

/** Captions of a file that are scored. */
export interface PredictionsOptions extends ScoringOptions {
  /** The file of the captions. */
  readonly predictions: string;
  /** The file of the references. */
  readonly references: string;
}

/** A model that is scored. */
export interface CheckpointOptions extends ScoringOptions, EvaluatedCheckpoint {
  /** A folder for captions, references and scores. */
  readonly out: string | undefined;
}

const datasetSchema = z.object({
  data: z.string().optional(),
  captions: z.string().optional(),
  images: z.string().optional(),
  splits: z.string().optional(),
  format: z.enum(FORMAT_NAMES).optional(),
  maxPixels: z.number().optional(),
});

const schema = z.object({
  checkpoint: z.array(z.string()).optional(),
  vocabulary: z.string().optional(),
  split: z.enum(SPLIT_NAMES).default("test"),
  out: z.string().optional(),
  predictions: z.string().optional(),
  references: z.string().optional(),
  meteorJar: z.string().optional(),
  perImage: z.boolean().default(false),
  json: z.boolean().default(false),
});

/**
 * Adds the options of where captioned images lie.
 *
 * @param command The command.
 * @returns The command.
 */
export function addDatasetOptions(command: Command): Command {
  return command
    .option("--data <path>", "folder with captions and images, captions file, or tar shard")
    .option("--captions <file>", "the captions file, where it lies elsewhere")
    .option("--images <dir>", "the folder of images, where it lies elsewhere")
    .option("--splits <dir>", "the folder of the official lists, where they lie elsewhere")
    .addOption(new Option("--format <name>", "the captions' format (default: found by looking)").choices(FORMAT_NAMES))
    .option("--max-pixels <n>", "leave out images of more pixels (default: 50 million)", wholeNumber(1));
}

/**
 * Adds the options of evaluating.
 *
 * @param command The command.
 * @returns The command.
 */
export function addEvaluateOptions(command: Command): Command {
  command
    .option("--checkpoint <file>", "what training wrote; several times for an ensemble", collect)
    .option("--vocabulary <file>", "words as JSON, for a .pth of PyTorch or another program's .safetensors")
    .addOption(new Option("--split <name>", "which images (default: test)").choices(SPLIT_NAMES));
  addDatasetOptions(command)
    .option("--out <dir>", "folder for predictions.json, references.json and scores.json")
    .option("--predictions <file>", 'captions of another program: [{"image_id": ..., "caption": ...}]')
    .option("--references <file>", 'their references: {"image": ["...", ...]}, or COCO\'s annotations')
    .option("--meteor-jar <file>", "METEOR's program, meteor-1.5.jar with its data folder; needs java")
    .option("--per-image", "each image's scores, too")
    .option("--json", "for programs");
  return addDecodingOptions(addEngineOptions(command));
}

/**
 * Reads the options of evaluating.
 *
 * @param options What commander parsed.
 * @param path Makes a user's path absolute.
 * @returns What is asked for.
 * @throws {InputError} If options do not go together.
 */
export function parseEvaluateOptions(
  options: Readonly<Record<string, unknown>>,
  path: (path: string) => string,
): PredictionsOptions | CheckpointOptions {
  const { checkpoint, vocabulary, split, out, predictions, references, ...rest } = schema.parse(options);
  const scoring = { ...rest, meteorJar: rest.meteorJar && path(rest.meteorJar) };
  if (predictions !== undefined || references !== undefined) {
    if (predictions === undefined || references === undefined) {
      throw new InputError("Cannot score captions: give both --predictions FILE and --references FILE");
    }
    if (checkpoint !== undefined) {
      throw new InputError("Cannot score both a model and a file: leave --checkpoint or --predictions out");
    }
    return { ...scoring, predictions: path(predictions), references: path(references) };
  }
  const dataset = parseDatasetOptions(options, path);
  if (checkpoint === undefined) {
    throw new InputError(
      "Cannot evaluate: give --checkpoint FILE and --data PATH, or --predictions FILE and --references FILE",
    );
  }
  return {
    ...scoring,
    ...{ checkpoint: checkpoint.map((file) => path(file)), vocabulary: vocabulary && path(vocabulary), split, dataset },
    ...{ engine: parseEngineOptions(options), decoding: parseDecodingOptions(options), out: out && path(out) },
  };
}

/**
 * Reads where captioned images lie.
 *
 * @param options What commander parsed.
 * @param path Makes a user's path absolute.
 * @throws {InputError} If nothing is named.
 */
export function parseDatasetOptions(
  options: Readonly<Record<string, unknown>>,
  path: (path: string) => string,
): CheckpointOptions["dataset"] {
  const { data, captions, images, splits, ...rest } = datasetSchema.parse(options);
  if (data === undefined && captions === undefined) {
    throw new InputError("Cannot evaluate: no data are named; give --data PATH, or --captions FILE and --images DIR");
  }
  const places = Object.entries({ data, captions, images, splits })
    .flatMap(([name, place]) => place === undefined ? [] : [[name, path(place)]]);
  return { ...rest, ...Object.fromEntries(places) };
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
