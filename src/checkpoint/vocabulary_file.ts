// A vocabulary in a JSON file, for weights without metadata: the words, the preprocessing and the decoding.

import { z } from "zod";
import { IMAGE_RESIZES } from "../ffi/settings.ts";
import { ALPHAS } from "../images/rgb_image.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { quoted } from "../printable.ts";
import { cannotRead, openFile } from "../files/open_file.ts";
import { writeAtomic, type WriteAtomicOptions } from "../files/write_atomic.ts";
import { TOKENIZERS } from "../text/tokenizer.ts";
import type { CheckpointMetadata } from "./checkpoint.ts";
import { findJsonFault } from "../files/json_keys.ts";
import {
  BEAM_SIZE_LIMITS,
  MAX_LENGTH_LIMITS,
  MOST_LENGTH_PENALTY,
  MOST_WORDS,
  SIDE_LIMITS,
  wholeNumber,
} from "./limits.ts";

type Words = readonly string[] | Readonly<Record<string, number>>;

/** Everything that captioning needs besides the weights. */
export type VocabularyFile = Pick<CheckpointMetadata, "vocabulary" | "preprocessing" | "decoding">;

const MAX_BYTES = 20_000_000;
const LIMITS = { depth: 2, parts: 1_000_000 };
const ADVICE = 'give an array of words, or an object {word: id}, or {"words": ..., "decoding": {...}}';
const IMAGE_SIZE = 224;
const SHORT_SIDE = 256;
const MAX_LENGTH = 20;
const BEAM_SIZE = 3;
/** The notebook sees images as Pillow decodes them. */
const NOTEBOOK_DECODING = { applyExif: false, colorManagement: false, alpha: "drop", shrinkOnLoad: false } as const;

const side = wholeNumber(SIDE_LIMITS).exactOptional();
const settingsSchema = z.object({
  words: z.custom<Words>(isWords, { error: "it is neither an array of words nor an object {word: id}" }),
  preprocessing: z.strictObject({
    imageSize: side,
    shortSide: side,
    resize: z.enum(IMAGE_RESIZES).exactOptional(),
    applyExif: z.boolean().exactOptional(),
    colorManagement: z.boolean().exactOptional(),
    alpha: z.enum(ALPHAS).exactOptional(),
    shrinkOnLoad: z.boolean().exactOptional(),
  }).optional(),
  decoding: z.strictObject({
    firstWord: z.string().optional(),
    maxLength: wholeNumber(MAX_LENGTH_LIMITS).optional(),
    beamSize: wholeNumber(BEAM_SIZE_LIMITS).optional(),
    lengthPenalty: z.number().min(0).max(MOST_LENGTH_PENALTY).exactOptional(),
    tokenizer: z.enum(TOKENIZERS).optional(),
  }).optional(),
});

/**
 * Writes a vocabulary with its settings, atomically.
 *
 * @throws {InputError} If the file cannot be written.
 */
export async function writeVocabularyFile(
  path: string,
  content: VocabularyFile,
  options: Omit<WriteAtomicOptions, "size"> = {},
): Promise<void> {
  const { vocabulary, preprocessing, decoding } = content;
  const json = JSON.stringify({ words: vocabulary, preprocessing, decoding }, null, 2);
  const bytes = new TextEncoder().encode(`${json}\n`);
  await writeAtomic(path, [bytes], { ...options, size: bytes.length });
}

/**
 * Reads a vocabulary: the output of {@linkcode writeVocabularyFile}, an array of words, or an object from words to ids.
 * Missing settings default to those of the default recipe: short side 256, crop 224 (or the same ratio), at most 20
 * words, beam 3.
 *
 * @returns The words in the order of their ids, and the settings.
 * @throws {InputError} If the file cannot be read or is not a vocabulary, for example because of duplicate words or
 * missing ids.
 */
export async function readVocabularyFile(path: string): Promise<VocabularyFile> {
  const value = await readJson(path);
  if (isWords(value)) return withDefaults(path, { words: value });
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return withDefaults(path, parsed.data);
  const isObject = typeof value === "object" && value !== null && "words" in value;
  const [issue] = isObject ? parsed.error.issues : [];
  const fault = issue === undefined
    ? "it is not a vocabulary"
    : `the field ${quoted(issue.path.join("."))} is wrong, ${issue.message.replaceAll(/\s+/g, " ")}`;
  throw cannotRead(path, `${fault}, ${ADVICE}`, parsed.error);
}

/** Checked without zod, which would report each wrong word: millions, in a hostile file. */
function isWords(value: unknown): value is Words {
  if (Array.isArray(value)) return value.every((word) => typeof word === "string");
  return typeof value === "object" && value !== null &&
    Object.values(value).every((id) => Number.isSafeInteger(id) && id >= 0);
}

async function readJson(path: string): Promise<unknown> {
  using file = await openFile(path);
  if (file.size > MAX_BYTES) throw cannotRead(path, `it has ${file.size} bytes, more than any vocabulary`);
  const bytes = await file.read(0, file.size);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const fault = findJsonFault(text, LIMITS);
    if (fault !== undefined) throw new SyntaxError(fault);
    return JSON.parse(text);
  } catch (error) {
    const fault = error instanceof SyntaxError ? fileErrorReason(error) : "it is not UTF-8";
    throw cannotRead(path, `it is not the JSON of a vocabulary, ${fault}`, error);
  }
}

function withDefaults(path: string, content: z.infer<typeof settingsSchema>): VocabularyFile {
  const vocabulary = isList(content.words) ? content.words : orderById(path, content.words);
  if (vocabulary.length > MOST_WORDS) {
    throw cannotRead(path, `it has ${vocabulary.length} words, more than the ${MOST_WORDS} that can be`);
  }
  const ids = new Map<string, number>();
  for (const [id, word] of vocabulary.entries()) {
    const first = ids.get(word);
    if (first !== undefined) throw cannotRead(path, `${quoted(word)} is word ${first} and word ${id}`);
    ids.set(word, id);
  }
  const { firstWord, tokenizer, maxLength = MAX_LENGTH, beamSize = BEAM_SIZE, lengthPenalty } = content.decoding ?? {};
  if (firstWord !== undefined && !ids.has(firstWord)) {
    throw cannotRead(path, `"firstWord" is ${quoted(firstWord)}, which is not one of its words`);
  }
  const isNotebook = firstWord !== undefined && content.preprocessing?.applyExif === undefined;
  const recipe = isNotebook ? NOTEBOOK_DECODING : { applyExif: true };
  const preprocessing = { imageSize: IMAGE_SIZE, ...recipe, ...content.preprocessing };
  const { imageSize, shortSide = Math.round(imageSize * SHORT_SIDE / IMAGE_SIZE) } = preprocessing;
  if (imageSize > shortSide) {
    throw cannotRead(path, `"imageSize" is ${imageSize}, larger than "shortSide", which is ${shortSide}`);
  }
  return {
    vocabulary,
    preprocessing: { ...preprocessing, shortSide },
    decoding: {
      ...(firstWord !== undefined && { firstWord }),
      maxLength,
      beamSize,
      ...(lengthPenalty !== undefined && { lengthPenalty }),
      ...(tokenizer !== undefined && { tokenizer }),
    },
  };
}

function isList(words: Words): words is readonly string[] {
  return Array.isArray(words);
}

function orderById(path: string, ids: Readonly<Record<string, number>>): string[] {
  const words = new Map<number, string>();
  for (const [word, id] of Object.entries(ids)) {
    const other = words.get(id);
    if (other !== undefined) throw cannotRead(path, `${quoted(other)} and ${quoted(word)} have the same id, ${id}`);
    words.set(id, word);
  }
  return Array.from({ length: words.size }, (_, id) => {
    const word = words.get(id);
    if (word === undefined) throw cannotRead(path, `no word has the id ${id}, ids must go from 0 to ${words.size - 1}`);
    return word;
  });
}
