import { z } from "zod";
import { InputError } from "../../input_error.ts";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";
import { checked, parseJson } from "../../files/json_text.ts";

const fileSchema = z.object({ images: z.array(z.unknown()), annotations: z.array(z.unknown()) });
const id = z.union([z.number(), z.string()]);
const imageSchema = z.object({ id, file_name: z.string() });
const annotationSchema = z.object({ image_id: id, caption: z.string() });

/**
 * Reads one of COCO's `captions_*.json`.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If it has another format.
 */
export function parseCocoCaptions(text: string, file: string): CaptionData {
  const dataset = checked(parseJson(text, file), fileSchema);
  if ("wrong" in dataset) {
    throw new InputError(`Cannot read captions: ${file} ${dataset.wrong}; name another --format or file`);
  }
  const captions = new CaptionRows(file);
  const names = new Map<number | string, string>();
  for (const [index, entry] of dataset.value.images.entries()) {
    const image = checked(entry, imageSchema);
    if ("wrong" in image) captions.reject(image.wrong, `image ${index + 1}`);
    else names.set(image.value.id, image.value.file_name);
  }
  for (const [index, entry] of dataset.value.annotations.entries()) {
    const place = `annotation ${index + 1}`;
    const annotation = checked(entry, annotationSchema);
    if ("wrong" in annotation) {
      captions.reject(annotation.wrong, place);
      continue;
    }
    const { image_id, caption } = annotation.value;
    const image = names.get(image_id);
    if (image === undefined) captions.reject(`has the image_id ${image_id}, which no image has`, place);
    else captions.add({ image, caption }, place);
  }
  return captions.data();
}
