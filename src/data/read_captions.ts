import { InputError } from "../input_error.ts";
import { readCaptionFolder } from "./formats/caption_folder.ts";
import { type CaptionData, describeRejected } from "./formats/caption_rows.ts";
import { parseCocoCaptions } from "./formats/coco_captions.ts";
import { parseFlickr30kCsv } from "./formats/flickr30k_csv.ts";
import { parseFlickrToken } from "./formats/flickr_token.ts";
import type { CaptionsSource } from "./format_names.ts";
import { parseJsonCaptions } from "./formats/json_captions.ts";
import { parseJsonMap } from "./formats/json_map.ts";
import { parseKaggleCaptions } from "./formats/kaggle_captions.ts";
import { parseKarpathyJson } from "./formats/karpathy_json.ts";
import { readWebdataset } from "./formats/webdataset.ts";
import { joinCaptions } from "./join_captions.ts";
import { readTextFile } from "../files/text_file.ts";

/** Options of {@linkcode readCaptions}. */
export interface ReadCaptionsOptions {
  /**
   * Fail if a row cannot be used.
   *
   * @default {false}
   */
  strict?: boolean | undefined;
}

const TEXT_READERS = {
  kaggle: parseKaggleCaptions,
  "flickr-token": parseFlickrToken,
  "flickr30k-csv": parseFlickr30kCsv,
  karpathy: parseKarpathyJson,
  coco: parseCocoCaptions,
  json: parseJsonCaptions,
  "json-map": parseJsonMap,
} as const;

/**
 * Reads captions in any format. Unusable rows are skipped and returned as `rejected`.
 *
 * @param source The captions, as returned by `findCaptions`.
 * @returns The captions in file order, at least one.
 * @throws {InputError} If a file cannot be read or has another format, or no row can be used; with `strict` also if one
 * row cannot.
 *
 * @example Two rows, one of which cannot be used
 * ```ts
 * import assert from "node:assert/strict";
 * import { readCaptions } from "@lrcn/lrcn/data";
 *
 * const folder = await Deno.makeTempDir();
 * const file = `${folder}/captions.txt`;
 * await Deno.writeTextFile(file, "image,caption\nkite.jpg,A red kite .\nboat.jpg,\n");
 * const { rows, rejected } = await readCaptions({ format: "kaggle", files: [file], folder });
 * assert.deepEqual(rows, [{ image: "kite.jpg", caption: "A red kite ." }]);
 * assert.deepEqual(rejected, [{ file, line: 3, reason: "has no caption" }]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function readCaptions(source: CaptionsSource, options: ReadCaptionsOptions = {}): Promise<CaptionData> {
  const captions = await readFormat(source);
  const { rows, rejected } = captions;
  const [first] = rejected;
  const where = source.files[0] ?? source.folder;
  if (first !== undefined && rows.length === 0) {
    throw new InputError(
      `Cannot read captions: none of ${where} can be used: ${describeRejected(first)}` +
        (rejected.length > 1 ? `, and ${rejected.length - 1} more rows; ` : "; ") +
        "correct it or name another --format",
    );
  }
  if (rows.length === 0) {
    throw new InputError(`Cannot read captions: ${where} has no captions; name another file with --captions`);
  }
  if (first !== undefined && options.strict) {
    const these = rejected.length === 1 ? "this row" : `${rejected.length} such rows`;
    throw new InputError(
      `Cannot read captions: ${describeRejected(first)}; correct it, or omit --strict to skip ${these}`,
    );
  }
  return captions;
}

async function readFormat({ format, files, folder }: CaptionsSource): Promise<CaptionData> {
  switch (format) {
    case "folder":
      return await readCaptionFolder(folder);
    case "webdataset":
      return await readWebdataset(files, { folder });
    default: {
      const parse = TEXT_READERS[format];
      return await joinCaptions(
        files,
        folder,
        async (file, splits) => parse(await readTextFile(file, "captions"), file, splits),
      );
    }
  }
}
