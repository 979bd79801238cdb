import { matchReferences, parsePredictions, parseReferences } from "./coco_files.ts";
import type { ModelCaptions } from "./evaluate_model.ts";
import { readTextFile } from "../files/text_file.ts";

/**
 * Reads predictions and their references from files.
 *
 * @throws {InputError} If a file cannot be read, or an image has one without the other.
 */
export async function evaluatePredictions(
  files: { readonly predictions: string; readonly references: string },
): Promise<ModelCaptions> {
  const predictions = parsePredictions(await readTextFile(files.predictions, "predictions"), files.predictions);
  const references = parseReferences(await readTextFile(files.references, "references"), files.references);
  return { captions: matchReferences(predictions, references), problems: [] };
}
