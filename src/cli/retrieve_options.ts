import { type Command, Option } from "commander";
import { z } from "zod";
import { InputError } from "../input_error.ts";
import { SPLIT_NAMES } from "../evaluation/checkpoint_split.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";
import { addDatasetOptions, type CheckpointOptions, parseDatasetOptions } from "./evaluate_options.ts";

interface Common {
  /** Default: the best of the newest run, else the one that ships. */
  readonly checkpoint: string | undefined;
  /** Vocabulary file for weights without one. */
  readonly vocabulary: string | undefined;
  readonly engine: EngineOptions;
  readonly maxPixels?: number | undefined;
  readonly json: boolean;
}

/** A search for images by a sentence. */
export interface SearchOptions extends Common {
  readonly query: string;
  /** Folder of images. */
  readonly images: string;
  readonly recursive: boolean;
  /** Number of results. */
  readonly top: number;
}

/** Retrieval scores on a dataset. */
export interface RetrievalOptions extends Common {
  readonly dataset: CheckpointOptions["dataset"];
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

export function addRetrieveOptions(command: Command): Command {
  command
    .option(
      "--checkpoint <file>",
      "checkpoint, or name of a run (default: the best of the newest run, else the one that ships)",
    )
    .option("--vocabulary <file>", "vocabulary as JSON, for a PyTorch .pth or another program's .safetensors")
    .option("--query <text>", "rank the images in --images by the probability of this sentence")
    .option("-r, --recursive", "search folders recursively")
    .option("--top <n>", "number of results (default: 10)", wholeNumber(1))
    .addOption(new Option("--split <name>", "split of the dataset (default: test)").choices(SPLIT_NAMES));
  return addDatasetOptions(addEngineOptions(command)).option("--json", "print JSON");
}

/** @throws {InputError} If options contradict each other. */
export function parseRetrieveOptions(
  options: Readonly<Record<string, unknown>>,
  path: (path: string) => string,
): SearchOptions | RetrievalOptions {
  const { query, images, recursive, top, split, checkpoint, vocabulary, ...rest } = schema.parse(options);
  const common = {
    ...rest,
    engine: parseEngineOptions(options),
    checkpoint,
    vocabulary: vocabulary && path(vocabulary),
  };
  if (query === undefined) return { ...common, split, dataset: parseDatasetOptions(options, path) };
  if (images === undefined) throw new InputError("Cannot search: no folder is named; give --images DIR");
  if (query.trim() === "") throw new InputError("Cannot search: --query is empty; give a sentence");
  return { ...common, query, images: path(images), recursive, top };
}
