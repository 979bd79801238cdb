import { type Command, Option } from "commander";
import { z } from "zod";
import { InputError } from "../input_error.ts";
import type { EvaluatedCheckpoint } from "../evaluation/evaluate_checkpoint.ts";
import { SPLIT_NAMES } from "../evaluation/checkpoint_split.ts";
import { FORMAT_NAMES } from "../data/format_names.ts";
import { addDecodingOptions, parseDecodingOptions } from "./caption_options.ts";
import { collect, once, oneOrSeveral, wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";

interface ScoringOptions {
  /** Path of METEOR's program. */
  readonly meteorJar: string | undefined;
  /** Whether to report each image's scores as well. */
  readonly perImage: boolean;
  readonly json: boolean;
}

/** Scores the captions in a file. */
export interface PredictionsOptions extends ScoringOptions {
  readonly predictions: string;
  readonly references: string;
}

/** Scores the captions of a model. */
export interface CheckpointOptions extends ScoringOptions, EvaluatedCheckpoint {
  /** Folder for captions, references and scores. */
  readonly out: string | undefined;
}

const datasetSchema = z.object({
  data: z.string().optional(),
  captions: z.array(z.string()).optional(),
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

/** Adds the options that name a dataset. */
export function addDatasetOptions(command: Command): Command {
  return command
    .option("--data <path>", "folder with captions and images, captions file, or tar shard", once)
    .option("--captions <file>", "captions file, if not in --data; repeat to join several", collect)
    .option("--images <dir>", "image folder, if not in --data", once)
    .option("--splits <dir>", "folder of the official split lists, if not in --data", once)
    .addOption(new Option("--format <name>", "format of the captions (default: detected)").choices(FORMAT_NAMES))
    .option("--max-pixels <n>", "skip images with more pixels (default: 50 million)", wholeNumber(1));
}

export function addEvaluateOptions(command: Command): Command {
  command
    .option("--checkpoint <file>", "checkpoint, or name of a run; repeat for an ensemble", collect)
    .option("--vocabulary <file>", "vocabulary as JSON, for a PyTorch .pth or another program's .safetensors")
    .addOption(new Option("--split <name>", "split to evaluate (default: test)").choices(SPLIT_NAMES));
  addDatasetOptions(command)
    .option("--out <dir>", "folder for predictions.json, references.json and scores.json")
    .option(
      "--predictions <file>",
      'captions to score: [{"image_id": ..., "caption": ...}], or output of caption --json',
    )
    .option("--references <file>", 'references: {"image": ["...", ...]}, or COCO\'s annotations')
    .option("--meteor-jar <file>", "METEOR 1.5's meteor-1.5.jar, with its data folder beside it; needs java")
    .option("--per-image", "print each image's scores as well")
    .option("--json", "print one JSON object");
  return addDecodingOptions(addEngineOptions(command));
}

/** @throws {InputError} If options contradict each other. */
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
      throw new InputError("Cannot score a model and a file at once: leave --checkpoint or --predictions out");
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
    checkpoint,
    vocabulary: vocabulary && path(vocabulary),
    split,
    dataset,
    engine: parseEngineOptions(options),
    decoding: parseDecodingOptions(options),
    out: out && path(out),
  };
}

/** @throws {InputError} If no data is named. */
export function parseDatasetOptions(
  options: Readonly<Record<string, unknown>>,
  path: (path: string) => string,
): CheckpointOptions["dataset"] {
  const { data, captions, images, splits, ...rest } = datasetSchema.parse(options);
  if (data === undefined && captions === undefined) {
    throw new InputError("Cannot evaluate: no data is named; give --data PATH, or --captions FILE and --images DIR");
  }
  const paths = Object.entries({ data, images, splits })
    .flatMap(([name, value]) => value === undefined ? [] : [[name, path(value)]]);
  const files = oneOrSeveral(captions?.map((file) => path(file)));
  return { ...rest, ...Object.fromEntries(paths), ...(files !== undefined && { captions: files }) };
}
