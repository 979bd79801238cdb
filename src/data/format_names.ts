/**
 * A description of each format, by name.
 *
 * @example The description of a format
 * ```ts
 * import assert from "node:assert/strict";
 * import { FORMATS } from "@lrcn/lrcn/data";
 *
 * assert.equal(FORMATS.coco, "JSON as COCO's captions_*.json");
 * ```
 */
export const FORMATS = {
  /** Kaggle's CSV with the columns `image` and `caption`. */
  kaggle: "CSV with the columns image and caption",
  /** The Flickr authors' `name.jpg#0<TAB>caption`. */
  "flickr-token": "lines of name.jpg#0<TAB>caption",
  /** Flickr30k's `results.csv`. */
  "flickr30k-csv": "lines of image_name| comment_number| comment",
  /** Karpathy's `dataset_*.json`. */
  karpathy: "JSON as Karpathy's dataset_*.json",
  /** COCO's `captions_*.json`. */
  coco: "JSON as COCO's captions_*.json",
  /** A JSON array, or JSON Lines. */
  json: "JSON array or JSON Lines of image and captions",
  /** A JSON object with images as keys. */
  "json-map": "JSON object of captions by image",
  /** `photo.jpg` with `photo.txt`. */
  folder: "a folder with photo.txt beside photo.jpg",
  /** Tar shards. */
  webdataset: "tar shards with key.txt or key.json after key.jpg",
} as const;

/** The name of a format. */
export type Format = keyof typeof FORMATS;

/**
 * The names of the formats.
 *
 * @example All formats
 * ```ts
 * import assert from "node:assert/strict";
 * import { FORMAT_NAMES } from "@lrcn/lrcn/data";
 *
 * assert(FORMAT_NAMES.includes("kaggle") && FORMAT_NAMES.includes("webdataset"));
 * ```
 */
export const FORMAT_NAMES: readonly Format[] = Object.keys(FORMATS).filter(isFormat);

/**
 * Tells whether a text is one of {@linkcode FORMAT_NAMES}.
 *
 * @example A format, and a text that is not one
 * ```ts
 * import assert from "node:assert/strict";
 * import { isFormat } from "@lrcn/lrcn/data";
 *
 * assert.deepEqual([isFormat("coco"), isFormat("xml")], [true, false]);
 * ```
 */
export function isFormat(word: string): word is Format {
  return Object.hasOwn(FORMATS, word);
}

/** The location and format of captions. */
export interface CaptionsSource {
  /** Their format. */
  readonly format: Format;
  /** The captions file, several of COCO's, or the shards. Empty only for the format `folder`. */
  readonly files: readonly string[];
  /** The dataset's folder. */
  readonly folder: string;
}
