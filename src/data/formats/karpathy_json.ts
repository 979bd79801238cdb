// Flickr8k, Flickr30k and COCO as distributed by Andrej Karpathy with his splits: `dataset_*.json`.

import { z } from "zod";
import { InputError } from "../../input_error.ts";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";
import { EntrySplits } from "./entry_splits.ts";
import { checked, parseJson } from "../../files/json_text.ts";

const fileSchema = z.object({ images: z.array(z.unknown()) });
const imageSchema = z.object({
  filename: z.string(),
  filepath: z.string().optional(),
  split: z.string().optional(),
  sentences: z.array(z.unknown()),
});
const sentenceSchema = z.object({ raw: z.string() });

/**
 * Reads such a file. An image's name is `filepath/filename` if it has both, and `restval` counts as `train`.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If it has another format.
 */
export function parseKarpathyJson(text: string, file: string, splits = new EntrySplits()): CaptionData {
  const dataset = checked(parseJson(text, file), fileSchema);
  if ("wrong" in dataset) {
    throw new InputError(`Cannot read captions: ${file} ${dataset.wrong}; name another --format or file`);
  }
  const captions = new CaptionRows(file);
  for (const [index, entry] of dataset.value.images.entries()) {
    const place = `image ${index + 1}`;
    const image = checked(entry, imageSchema);
    if ("wrong" in image) captions.reject(image.wrong, place);
    else addImage({ captions, splits }, { ...image.value, place });
  }
  return captions.data(splits.lists());
}

function addImage(
  { captions, splits }: { captions: CaptionRows; splits: EntrySplits },
  { filename, filepath, split, sentences, place }: z.infer<typeof imageSchema> & { place: string },
): void {
  const name = filepath ? `${filepath}/${filename}` : filename;
  const wrong = split === undefined ? undefined : splits.add(name, split);
  if (wrong !== undefined) return captions.reject(wrong, place);
  if (sentences.length === 0) captions.reject("has no caption", place);
  for (const [index, entry] of sentences.entries()) {
    const inner = `sentence ${index + 1} of ${place}`;
    const sentence = checked(entry, sentenceSchema);
    if ("wrong" in sentence) captions.reject(sentence.wrong, inner);
    else captions.add({ image: name, caption: sentence.value.raw }, inner);
  }
}
