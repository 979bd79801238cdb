/**
 * What of an image speaks for each word of its caption.
 *
 * @module
 */

import type { DecodingSettings } from "../checkpoint/checkpoint.ts";
import type { Batch, Images } from "../ffi/batch.ts";
import { type Engine, gridSide } from "../ffi/engine.ts";
import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { collateLrcn, collateNotebook } from "../ffi/collate.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import type { CaptionVocabulary } from "../text/caption_vocabulary.ts";

/** A word of a caption and where the model saw it. */
export interface ExplainedWord {
  /** The word. */
  readonly word: string;
  /** How probable the model finds it after the words before it, 0 to 1. 1 where the recipe gives the word. */
  readonly probability: number;
  /** How much each place speaks for it, rows x columns: 1 at the word's warmest place, all 0 where none does. */
  readonly heat: Float32Array<ArrayBuffer>;
  /** Its warmest place beside the warmest of the caption's words, 0 to 1: how much the image has to do with it. */
  readonly strength: number;
}

/** A caption and what of the image speaks for it. */
export interface Explanation {
  /** The caption's words in order. */
  readonly words: readonly ExplainedWord[];
  /** Rows of each map. */
  readonly rows: number;
  /** Places in a row. */
  readonly columns: number;
  /** What the model sees of the image, a square that the maps lie over. */
  readonly seen: RgbImage;
}

/** Options of {@linkcode explainWords}. */
export interface ExplainWordsOptions {
  /** The caption as the model's words. */
  readonly tokens: readonly string[];
  /** The words' ids. */
  readonly ids: ReadonlyMap<string, number>;
  /** The special ones among them. */
  readonly vocabulary: Pick<CaptionVocabulary, "pad" | "unknown" | "start">;
  /** How captions begin. */
  readonly decoding: Pick<DecodingSettings, "firstWord">;
}

/** Words that are explained at most: the time grows with their square. */
const MOST_WORDS = 100;

/**
 * Explains the words of a caption by Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391).
 *
 * @param engine The model.
 * @param images One image, as the model sees it.
 * @param options See {@linkcode ExplainWordsOptions}.
 * @returns The explanation, a word for each token.
 * @throws {InputError} If there are too many words, or the vocabulary lacks what a caption needs.
 */
export async function explainWords(
  engine: Pick<Engine, "explain">,
  images: Images,
  options: ExplainWordsOptions,
): Promise<Explanation> {
  const { tokens, decoding: { firstWord } } = options;
  if (tokens.length > MOST_WORDS) {
    throw new InputError(`Cannot explain a caption of ${tokens.length} words: give one of at most ${MOST_WORDS}`);
  }
  const ids = tokens.map((token) => idOf(token, options));
  const { height, width, pixels } = images;
  const [rows, columns] = [gridSide(height), gridSide(width)];
  // The image of the notebook's recipe predicts the second word; nothing predicts the first.
  const given = firstWord === undefined ? 0 : 1;
  const size = rows * columns;
  const predicted = tokens.length > given
    ? await engine.explain(given === 0 ? lrcnBatch(images, ids, options) : notebookBatch(images, ids, options))
    : { heat: new Float64Array(), probabilities: new Float64Array() };
  const warmest = largest(predicted.heat);
  const words = tokens.map((word, index): ExplainedWord => {
    if (index < given) return { word, probability: 1, heat: new Float32Array(size), strength: 0 };
    const place = index - given;
    const heat = predicted.heat.subarray(place * size, (place + 1) * size);
    const most = largest(heat);
    return {
      word,
      probability: predicted.probabilities[place] ?? NaN,
      heat: Float32Array.from(heat, (value) => most > 0 ? value / most : 0),
      strength: warmest > 0 ? most / warmest : 0,
    };
  });
  return { words, rows, columns, seen: { width, height, pixels } };
}

function idOf(token: string, { ids, vocabulary }: ExplainWordsOptions): number {
  const id = ids.get(token) ?? vocabulary.unknown;
  if (id !== undefined) return id;
  throw new InputError(
    `Cannot explain ${quoted(token)}: the vocabulary has neither it nor '<unk>'; use words of the vocabulary`,
  );
}

type ImageBatch = Batch & { readonly images: Images };

function lrcnBatch(images: Images, ids: readonly number[], { vocabulary: { start } }: ExplainWordsOptions): ImageBatch {
  if (start === undefined) throw new InputError("Cannot explain a caption: the vocabulary has no '<start>'");
  return { ...collateLrcn(images, [[Int32Array.of(start, ...ids)]]), images };
}

function notebookBatch(images: Images, ids: readonly number[], { vocabulary }: ExplainWordsOptions): ImageBatch {
  const shortest = 3;
  const padded = new Int32Array(Math.max(shortest, ids.length)).fill(vocabulary.pad ?? 0);
  padded.set(ids);
  const batch = collateNotebook(images, [padded]);
  return { ...batch, images, targets: batch.targets.fill(-1, ids.length - 1) };
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
