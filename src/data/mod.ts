/**
 * Captions from files: datasets in every format that training reads, tokens and vocabularies. Needs no native library.
 *
 * @example Reading a dataset
 * ```ts
 * import assert from "node:assert/strict";
 * import { readDataset, tokenize } from "@lrcn/lrcn/data";
 *
 * const { examples } = await readDataset({ data: "docs/example/scenes" });
 * assert.deepEqual(tokenize(examples[0]?.captions[0] ?? "").slice(0, 2), ["there", "is"]);
 * ```
 *
 * @module
 */

export {
  type CaptionedExample,
  type Dataset,
  type DatasetOptions,
  type Example,
  type FileDataset,
  readDataset,
} from "./dataset.ts";
export { findCaptions, type FindCaptionsOptions } from "./find_captions.ts";
export { type CaptionsSource, type Format, FORMAT_NAMES, FORMATS, isFormat } from "./format_names.ts";
export { type CaptionData, type CaptionRow, describeRejected, type RejectedRow } from "./formats/caption_rows.ts";
export type { OfficialSplits } from "./official_splits.ts";
export { readCaptions, type ReadCaptionsOptions } from "./read_captions.ts";
export type { ImageFile } from "../images/image_file.ts";
export { InputError, type InputErrorCode, type InputErrorOptions } from "../input_error.ts";
export { detokenize, type DetokenizeOptions } from "../text/detokenize.ts";
export { tokenize, type TokenizerName, tokenizerOf, TOKENIZERS } from "../text/tokenizer.ts";
export { END, PAD, START, UNKNOWN, Vocabulary, type VocabularyOptions } from "../text/vocabulary.ts";
