/**
 * The options of `deno task retrieve`.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { z } from "zod";
import { InputError } from "../input_error.ts";
import { SPLIT_NAMES } from "../evaluation/checkpoint_split.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";
import { addDatasetOptions, type CheckpointOptions, parseDatasetOptions } from "./evaluate_options.ts";

interface Common {
  /** The checkpoint; by default the newest run's best one. */
  readonly checkpoint: string | undefined;
  /** The words of weights that stand alone. */
  readonly vocabulary: string | undefined;
  /** How the model computes. */
  readonly engine: EngineOptions;
  /** The most pixels that an image may have. */
  readonly maxPixels?: number | undefined;
  /** Whether what is found is printed for programs. */
  readonly json: boolean;
}

/** Images that are looked for by a sentence. */
export interface SearchOptions extends Common {
  /** The sentence. */
  readonly query: string;
  /** The folder of the images. */
  readonly images: string;
  /** Whether folders in it are looked through. */
  readonly recursive: boolean;
  /** How many are shown. */
  readonly top: number;
}

/** A dataset that a model is judged by. */
export interface RetrievalOptions extends Common {
  /** Where the data is. */
  readonly dataset: CheckpointOptions["dataset"];
  /** The part of it. */
  readonly split: typeof SPLIT_NAMES[number];
}

const schema = z.object({
  checkpoint: z.string().optional(),
  vocabulary: z.string().optional(),
  maxPixels: z.number().optional(),
  json: z.boolean().default(false),
  query: z.string().optional(),
  images: z.string().optional(),
  recursive: z.boolean().default(false),
  top: z.number().default(10),
  split: z.enum(SPLIT_NAMES).default("test"),
});

/**
 * Adds the options of retrieving.
 *
 * @param command The command.
 * @returns The command.
 */
export function addRetrieveOptions(command: Command): Command {
  command
    .option("--checkpoint <file>", "what training wrote (default: the newest run's best.safetensors)")
    .option("--vocabulary <file>", "words as JSON, for a .pth of PyTorch or another program's .safetensors")
    .option("--query <text>", "look for images in the folder --images that this sentence may describe")
    .option("-r, --recursive", "look through folders in that folder")
    .option("--top <n>", "images shown (default: 10)", wholeNumber(1))
    .addOption(new Option("--split <name>", "of a dataset, which images (default: test)").choices(SPLIT_NAMES));
  return addDatasetOptions(addEngineOptions(command)).option("--json", "for programs");
}

/**
 * Reads the options of retrieving.
 *
 * @param options What commander parsed.
 * @param path Makes a user's path absolute.
 * @returns What is asked for.
 * @throws {InputError} If options do not go together.
 */
export function parseRetrieveOptions(
  options: Readonly<Record<string, unknown>>,
  path: (path: string) => string,
): SearchOptions | RetrievalOptions {
  const { query, images, recursive, top, split, checkpoint, vocabulary, ...rest } = schema.parse(options);
  const common = {
    ...{ ...rest, engine: parseEngineOptions(options) },
    ...{ checkpoint: checkpoint && path(checkpoint), vocabulary: vocabulary && path(vocabulary) },
  };
  if (query === undefined) return { ...common, split, dataset: parseDatasetOptions(options, path) };
  if (images === undefined) throw new InputError("Cannot search: no folder is named; give --images DIR");
  if (query.trim() === "") throw new InputError("Cannot search: --query is empty; give a sentence");
  return { ...common, query, images: path(images), recursive, top };
}
