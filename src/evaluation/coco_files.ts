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

const id = z.union([z.string(), z.number()]).transform((value) => String(value).normalize("NFC"));
const caption = z.string().transform((text) => text.normalize("NFC"));
/** COCO's key, or that of `caption --json`. */
const predictionSchema = z.union([
  z.object({ image_id: id, caption }).transform(({ image_id: image, caption }) => ({ image, caption })),
  z.object({ image: id, text: caption }).transform(({ image, text }) => ({ image, caption: text })),
]);
const predictionsSchema = z.array(predictionSchema);
const annotationsSchema = z.object({
  annotations: z.array(z.object({ image_id: id, caption })),
  images: z.array(z.object({ id, file_name: id })).catch([]),
});
const referencesSchema = z.record(z.string(), z.array(caption).min(1));

/** The references of some images. */
export interface References {
  /** The references of each image by its name or id. */
  readonly captions: ReadonlyMap<string, readonly string[]>;
  /** The names of images that have ids, by id. */
  readonly names: ReadonlyMap<string, string>;
}

const SHOWN = 3;

/**
 * Parses predictions: `[{"image_id": ..., "caption": "..."}]` as COCO's servers want them, or the output of
 * `caption --json` or `--jsonl`, whose key is `image`.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If the text is not valid, or an image occurs twice.
 */
export function parsePredictions(text: string, file: string): Prediction[] {
  const read = checked(parseArrayOrLines(text, file), predictionsSchema);
  if ("wrong" in read) {
    throw new InputError(
      `Cannot read predictions: ${file} ${read.wrong}; it must be [{"image_id": ..., "caption": ...}], or the output ` +
        "of caption --json or --jsonl",
    );
  }
  const predictions = read.value;
  const seen = new Set<string>();
  const twice = predictions.flatMap(({ image }) => seen.has(image) ? [image] : (seen.add(image), []));
  if (twice.length > 0) {
    throw new InputError(`Cannot score ${file}: ${named(twice)} predicted twice; give each image one caption`);
  }
  return predictions;
}

/** The value of a JSON text, or the values of JSON Lines. */
function parseArrayOrLines(text: string, file: string): unknown {
  const [first = "", ...others] = text.trim().split("\n");
  const isLines = first.startsWith("{") && first.trimEnd().endsWith("}");
  return isLines
    ? [first, ...others].filter((line) => line.trim() !== "").map((line) => parseJson(line, file))
    : parseJson(text, file);
}

/**
 * Parses references: `{"image": ["...", ...]}`, or COCO's annotations.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If the text is neither.
 */
export function parseReferences(text: string, file: string): References {
  const value = parseJson(text, file);
  const annotations = checked(value, annotationsSchema);
  const captions = new Map<string, string[]>();
  if ("value" in annotations) {
    for (const { image_id, caption } of annotations.value.annotations) {
      const own = captions.get(image_id) ?? [];
      own.push(caption);
      captions.set(image_id, own);
    }
    return { captions, names: new Map(annotations.value.images.map((image) => [image.id, image.file_name])) };
  }
  const listed = checked(value, referencesSchema);
  if ("wrong" in listed) {
    throw new InputError(
      `Cannot read references: ${file} ${listed.wrong}; it must be {"image": ["...", ...]} or COCO's annotations`,
    );
  }
  for (const [image, own] of Object.entries(listed.value)) captions.set(image.normalize("NFC"), own);
  return { captions, names: new Map() };
}

/**
 * Matches predictions with references, in the order of the references. An image's name may have other folders before it,
 * or be the file of an id, if one image alone is meant.
 *
 * @throws {InputError} If an image has one without the other.
 */
export function matchReferences(
  predictions: readonly Prediction[],
  references: References,
): { readonly image: string; readonly caption: string; readonly references: readonly string[] }[] {
  const matched = matchNames(predictions.map(({ image }) => image), references);
  const captions = new Map<string, string>();
  for (const { image, caption } of predictions) {
    const name = matched.get(image);
    if (name !== undefined) captions.set(name, caption);
  }
  const unknown = predictions.filter(({ image }) => !matched.has(image)).map(({ image }) => image);
  if (unknown.length > 0) throw new InputError(`Cannot score captions: there are no references of ${named(unknown)}`);
  const missing = [...references.captions.keys()].filter((image) => !captions.has(image));
  if (missing.length > 0) {
    throw new InputError(
      `Cannot score captions: there is no prediction of ${
        named(missing)
      }; predict all images, or remove their references`,
    );
  }
  return Array.from(
    references.captions,
    ([image, own]) => ({ image, caption: captions.get(image) ?? "", references: own }),
  );
}

/** The image with references that each predicted image is. */
function matchNames(predicted: readonly string[], { captions, names }: References): ReadonlyMap<string, string> {
  const last = (path: string) => path.split(/[/\\]/).at(-1) ?? "";
  const byLast = Map.groupBy(captions.keys(), (image) => last(names.get(image) ?? image));
  const predictedByLast = Map.groupBy(predicted, last);
  const matched = new Map<string, string>();
  for (const image of predicted) {
    const [only, another] = byLast.get(last(image)) ?? [];
    const isMeant = another === undefined && predictedByLast.get(last(image))?.length === 1;
    const found = captions.has(image) ? image : isMeant ? only : undefined;
    if (found !== undefined) matched.set(image, found);
  }
  return matched;
}

function named(images: readonly string[]): string {
  const more = images.length > SHOWN ? ` and ${images.length - SHOWN} more images` : "";
  return `${images.slice(0, SHOWN).map(quoted).join(", ")}${more}`;
}
