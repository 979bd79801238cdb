// A user's own captions: a JSON array of `{"image": ..., "captions": [...]}`, or one such object per line (JSON Lines).

import { z } from "zod";
import { InputError } from "../../input_error.ts";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";
import { captionsOfEntry, IMAGE_KEYS } from "./entry_keys.ts";
import { EntrySplits } from "./entry_splits.ts";
import { checked, parseJson } from "../../files/json_text.ts";

const entrySchema = z.preprocess(
  renamed,
  z.object({
    image: z.string(),
    captions: z.array(z.unknown()).optional(),
    split: z.string().optional(),
  }),
);

/** Other programs use other names. */
function renamed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const image = Object.entries(value).find(([key]) => key === IMAGE_KEYS.find((name) => name in value))?.[1];
  const captions = captionsOfEntry(value);
  // The ids of images are often numbers.
  const name = typeof image === "number" ? String(image) : image;
  return { ...value, ...(name !== undefined && { image: name }), ...(captions !== undefined && { captions }) };
}

/**
 * Reads such a file. Instead of `captions` an entry may have a `caption`, one or a list, and a `split`: train, val or
 * test. Hugging Face's `file_name`, `text` and `caption_0` work too, and so do the others of `IMAGE_KEYS`.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If it begins like a JSON array and is not one.
 */
export function parseJsonCaptions(text: string, file: string, splits = new EntrySplits()): CaptionData {
  const captions = new CaptionRows(file);
  const add = (value: unknown, place: number | string) => addEntry({ captions, splits }, value, place);
  if (text.trimStart().startsWith("[")) {
    const entries = parseJson(text, file);
    if (Array.isArray(entries)) { for (const [index, entry] of entries.entries()) add(entry, `entry ${index + 1}`); }
  } else {
    for (const [index, line] of text.split("\n").entries()) {
      if (line.trim() !== "") addLine(line, index + 1, { add, captions, file });
    }
  }
  return captions.data(splits.lists());
}

function addLine(
  line: string,
  number: number,
  { add, captions, file }: { add: (value: unknown, place: number) => void; captions: CaptionRows; file: string },
): void {
  let value: unknown;
  try {
    value = parseJson(line, file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return captions.reject("is not JSON", number);
  }
  add(value, number);
}

function addEntry(
  { captions, splits }: { captions: CaptionRows; splits: EntrySplits },
  value: unknown,
  place: number | string,
): void {
  const entry = checked(value, entrySchema);
  if ("wrong" in entry) return captions.reject(entry.wrong, place);
  const { image, captions: texts = [], split } = entry.value;
  const wrong = texts.length === 0 ? "has no 'captions'" : split === undefined ? undefined : splits.add(image, split);
  if (wrong !== undefined) return captions.reject(wrong, place);
  captions.addAll(image, texts, place);
}
