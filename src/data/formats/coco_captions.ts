import { basename } from "node:path";
import { z } from "zod";
import { InputError } from "../../input_error.ts";
import { type CaptionData, type CaptionRow, CaptionRows, type RejectedRow } from "./caption_rows.ts";
import { EntrySplits } from "./entry_splits.ts";
import { checked, parseJson } from "../../files/json_text.ts";

const fileSchema = z.object({ images: z.array(z.unknown()), annotations: z.array(z.unknown()) });
const id = z.union([z.number(), z.string()]);
const imageSchema = z.object({ id, file_name: z.string() });
const annotationSchema = z.object({ image_id: id, caption: z.string() });

export interface CocoText {
  readonly text: string;
  /** The file's name, which also distinguishes `train` from `val`. */
  readonly file: string;
}

/**
 * Reads COCO's `captions_*.json`. If the files cover both training and validation, that is the split, and every second
 * validation image becomes a test image.
 *
 * @throws {InputError} If a file has another format.
 */
export async function parseCocoCaptions(texts: Iterable<CocoText> | AsyncIterable<CocoText>): Promise<CaptionData> {
  const rows: CaptionRow[] = [];
  const rejected: RejectedRow[] = [];
  const splits = new EntrySplits();
  for await (const { text, file } of texts) {
    const captions = parseFile(text, file, splits);
    for (const row of captions.rows) rows.push(row);
    for (const row of captions.rejected) rejected.push(row);
  }
  const lists = splits.lists();
  return { rows, rejected, ...(lists !== undefined && { splits: lists }) };
}

/** The part and year of a COCO file, from its name. */
export function cocoPart(file: string): { readonly split: "train" | "val" | undefined; readonly year: string } {
  const [, split, year = ""] = /(train|val)[^0-9/\\]*(\d{4})?/i.exec(basename(file)) ?? [];
  const lower = split?.toLowerCase();
  return { split: lower === "train" || lower === "val" ? lower : undefined, year };
}

function parseFile(text: string, file: string, splits: EntrySplits): CaptionRows {
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
  const { split } = cocoPart(file);
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
    else addRow({ captions, splits }, { image, caption, split, place });
  }
  return captions;
}

function addRow(
  { captions, splits }: { captions: CaptionRows; splits: EntrySplits },
  { split, place, ...row }: CaptionRow & { split: string | undefined; place: string },
): void {
  const wrong = split === undefined ? undefined : splits.add(row.image, split);
  if (wrong !== undefined) captions.reject(wrong, place);
  else captions.add(row, place);
}
