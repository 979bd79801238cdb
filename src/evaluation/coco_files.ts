import { z } from "zod";
import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { checked, parseJson } from "../files/json_text.ts";

/** A caption of an image. */
export interface Prediction {
  /** The image. */
  readonly image: string;
  /** The caption. */
  readonly caption: string;
}

const id = z.union([z.string(), z.number()]).transform(String);
const predictionsSchema = z.array(z.object({ image_id: id, caption: z.string() }));
const annotationsSchema = z.object({ annotations: z.array(z.object({ image_id: id, caption: z.string() })) });
const referencesSchema = z.record(z.string(), z.array(z.string()).min(1));

const SHOWN = 3;

/**
 * Parses predictions in the format of COCO's servers: `[{"image_id": ..., "caption": "..."}]`.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If the text is not valid, or an image occurs twice.
 */
export function parsePredictions(text: string, file: string): Prediction[] {
  const read = checked(parseJson(text, file), predictionsSchema);
  if ("wrong" in read) {
    throw new InputError(
      `Cannot read predictions: ${file} ${read.wrong}; it must be [{"image_id": ..., "caption": ...}]`,
    );
  }
  const predictions = read.value.map(({ image_id: image, caption }) => ({ image, caption }));
  const seen = new Set<string>();
  const twice = predictions.flatMap(({ image }) => seen.has(image) ? [image] : (seen.add(image), []));
  if (twice.length > 0) {
    throw new InputError(`Cannot score ${file}: ${named(twice)} predicted twice; give each image one caption`);
  }
  return predictions;
}

/**
 * Parses references: `{"image": ["...", ...]}`, or COCO's annotations.
 *
 * @param file The file's name, for error messages.
 * @returns The references of each image.
 * @throws {InputError} If the text is neither.
 */
export function parseReferences(text: string, file: string): Map<string, string[]> {
  const value = parseJson(text, file);
  const annotations = checked(value, annotationsSchema);
  if ("value" in annotations) {
    const references = new Map<string, string[]>();
    for (const { image_id, caption } of annotations.value.annotations) {
      references.set(image_id, [...references.get(image_id) ?? [], caption]);
    }
    return references;
  }
  const listed = checked(value, referencesSchema);
  if ("value" in listed) return new Map(Object.entries(listed.value));
  throw new InputError(
    `Cannot read references: ${file} ${listed.wrong}; it must be {"image": ["...", ...]} or COCO's annotations`,
  );
}

/**
 * Matches predictions with references, in the order of the references.
 *
 * @throws {InputError} If an image has one without the other.
 */
export function matchReferences(
  predictions: readonly Prediction[],
  references: ReadonlyMap<string, readonly string[]>,
): { readonly image: string; readonly caption: string; readonly references: readonly string[] }[] {
  const captions = new Map(predictions.map(({ image, caption }) => [image, caption]));
  const unknown = predictions.filter(({ image }) => !references.has(image)).map(({ image }) => image);
  if (unknown.length > 0) throw new InputError(`Cannot score captions: there are no references of ${named(unknown)}`);
  const missing = [...references.keys()].filter((image) => !captions.has(image));
  if (missing.length > 0) {
    throw new InputError(
      `Cannot score captions: there is no prediction of ${
        named(missing)
      }; predict all images, or remove their references`,
    );
  }
  return Array.from(references, ([image, own]) => ({ image, caption: captions.get(image) ?? "", references: own }));
}

function named(images: readonly string[]): string {
  const more = images.length > SHOWN ? ` and ${images.length - SHOWN} more images` : "";
  return `${images.slice(0, SHOWN).map(quoted).join(", ")}${more}`;
}
