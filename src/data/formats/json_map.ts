// JSON with images as keys: `{"photo.jpg": ["...", "..."]}`, or kohya's `meta_cap.json`: `{"photo": {"caption": "..."}}`.

import { InputError } from "../../input_error.ts";
import { checked, parseJson } from "../../files/json_text.ts";
import { isImageName } from "../image_names.ts";
import { z } from "zod";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";
import { captionsOfEntry } from "./entry_keys.ts";

const FIRST_ENTRY = /^\s*\{\s*("(?:[^"\\]|\\.)*")\s*:\s*(?:("|\[\s*")|\{\s*"(?:captions?|text|tags)"\s*:)/;
const mapSchema = z.record(z.string(), z.unknown());

/** Recognizes the beginning of such a file: an image's name with a text or a list, or any name with kohya's keys. */
export function isJsonMap(head: string): boolean {
  const [found, key = '""', direct] = FIRST_ENTRY.exec(head) ?? [];
  return found !== undefined && (direct === undefined || isImageName(String(JSON.parse(key))));
}

/**
 * Reads such a file.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If it is not a JSON object.
 */
export function parseJsonMap(text: string, file: string): CaptionData {
  const entries = checked(parseJson(text, file), mapSchema);
  if ("wrong" in entries) {
    throw new InputError(`Cannot read captions: ${file} ${entries.wrong}; name another --format or file`);
  }
  const captions = new CaptionRows(file);
  for (const [index, [image, entry]] of Object.entries(entries.value).entries()) {
    const place = `entry ${index + 1}`;
    const isKohyas = typeof entry === "object" && entry !== null && !Array.isArray(entry);
    const texts = isKohyas ? captionsOfEntry(entry) ?? [] : [entry].flat();
    captions.addAll(image, texts, place);
  }
  return captions.data();
}
