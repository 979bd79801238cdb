// The names that programs give to the image and the captions of an entry, in JSON or as columns of CSV.

/** Keys of an image's name in JSON, the first that is there counts: Hugging Face's, COCO's, neuraltalk2's and others. */
export const IMAGE_KEYS: readonly string[] = [
  "image",
  "file_name",
  "filename",
  "file_path",
  "filepath",
  "image_path",
  "image_name",
];

/**
 * Keys of captions; the first of these patterns that any key matches counts. pandas calls a second column `caption.1`;
 * `raw` is the column of Flickr30k at Hugging Face.
 */
const CAPTION_KEYS: readonly RegExp[] = [
  /^captions$/i,
  /^caption(?:[ ._-]?\d+)?$/i,
  /^captions[ ._-]?\d+$/i,
  /^comment(?:[ ._-]?\d+)?$/i,
  /^texts?(?:[ ._-]?\d+)?$/i,
  /^raw$/i,
];

/** Recognizes, in the text of JSON, a key of an image's name. */
export const IMAGE_KEY_IN_JSON = new RegExp(`"(?:${IMAGE_KEYS.join("|")})"\\s*:`);
/** Recognizes, in the text of JSON, a key of captions. */
export const CAPTION_KEY_IN_JSON = /"(?:(?:captions?|texts?)(?:[ ._-]?\d+)?|raw)"\s*:/i;

/** Those of an entry's keys, or of the columns of a table, that hold its captions: `caption_0` and `caption_1`. */
export function captionKeys(keys: readonly string[]): string[] {
  for (const pattern of CAPTION_KEYS) {
    const found = keys.filter((key) => pattern.test(key));
    if (found.length > 0) return found;
  }
  return [];
}

/** The captions of an entry, under whichever keys; undefined if it has no such key. */
export function captionsOfEntry(entry: object): unknown[] | undefined {
  const keys = captionKeys(Object.keys(entry));
  if (keys.length === 0) return undefined;
  const values = new Map<string, unknown>(Object.entries(entry));
  return keys.flatMap((key) => values.get(key) ?? []);
}
