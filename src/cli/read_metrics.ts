import { z } from "zod";
import type { CheckpointMetadata } from "../checkpoint/checkpoint.ts";
import { checked, parseJson } from "../files/json_text.ts";
import { readTextFile } from "../files/text_file.ts";
import { InputError } from "../input_error.ts";

const schema = z.object({ split: z.string(), CIDEr: z.number(), Bleu_4: z.number(), distinctFraction: z.number() });

/**
 * Reads the metrics that a checkpoint keeps from `scores.json` of `deno task evaluate --split validation --out`.
 *
 * @throws {InputError} If the file cannot be read, or its scores are not those of a model on the validation split.
 */
export async function readMetrics(path: string): Promise<CheckpointMetadata["metrics"]> {
  const advice = "give scores.json of deno task evaluate --split validation --out";
  const read = checked(parseJson(await readTextFile(path, "scores"), path), schema);
  if ("wrong" in read) throw new InputError(`Cannot read scores: ${path} ${read.wrong}; ${advice}`);
  const { split, CIDEr, Bleu_4, distinctFraction } = read.value;
  if (split !== "validation") {
    throw new InputError(`Cannot keep scores: ${path} has those of the split '${split}'; ${advice}`);
  }
  return { cider: CIDEr, bleu4: Bleu_4, distinctFraction };
}
