import type { DecodingSettings } from "../checkpoint/checkpoint.ts";
import type { Batch, Images } from "../ffi/batch.ts";
import { type Engine, gridSide } from "../ffi/engine.ts";
import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { collateMasked, collateShifted } from "../ffi/collate.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import type { CaptionVocabulary } from "../text/vocabulary.ts";

/** The explanation of a word of a caption. */
export interface ExplainedWord {
  /** The word. */
  readonly word: string;
  /** The model's probability of the word given the words before it, 0 to 1; 1 if the recipe gives the word. */
  readonly probability: number;
  /** Heat map, rows x columns: 1 in the word's hottest cell; all 0 if no cell supports the word. */
  readonly heat: Float32Array<ArrayBuffer>;
  /** The word's maximum before scaling, relative to the highest of the caption's words, 0 to 1. */
  readonly strength: number;
}

/** Heat maps of a caption. */
export interface Explanation {
  /** The caption's words in order. */
  readonly words: readonly ExplainedWord[];
  /** Rows of each map. */
  readonly rows: number;
  /** Columns of each map. */
  readonly columns: number;
  /** The model's input image, a center crop, which the maps cover. */
  readonly seen: RgbImage;
}

/** Options of {@linkcode explainWords}. */
export interface ExplainWordsOptions {
  /** The caption's tokens. */
  readonly tokens: readonly string[];
  /** The id of each word. */
  readonly ids: ReadonlyMap<string, number>;
  /** The special tokens. */
  readonly vocabulary: Pick<CaptionVocabulary, "pad" | "unknown" | "start">;
  /** The checkpoint's decoding settings. */
  readonly decoding: Pick<DecodingSettings, "firstWord">;
}

/** Maximum caption length: time grows with its square. */
const MOST_WORDS = 100;

/**
 * Computes a heat map for each word of a caption by Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391).
 *
 * @param images One image, preprocessed.
 * @throws {InputError} If there are too many words, or the vocabulary lacks a special token.
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
  // In the notebook's recipe the image predicts the second word; nothing predicts the first.
  const given = firstWord === undefined ? 0 : 1;
  const size = rows * columns;
  const predicted = tokens.length > given
    ? await engine.explain(given === 0 ? lrcnBatch(images, ids, options) : notebookBatch(images, ids, options))
    : { heat: new Float64Array(), probabilities: new Float64Array() };
  const warmest = largest(predicted.heat);
  const words = tokens.map((word, index): ExplainedWord => {
    if (index < given) return { word, probability: 1, heat: new Float32Array(size), strength: 0 };
    const at = index - given;
    const heat = predicted.heat.subarray(at * size, (at + 1) * size);
    const most = largest(heat);
    return {
      word,
      probability: predicted.probabilities[at] ?? NaN,
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
  return { ...collateMasked(images, [[Int32Array.of(start, ...ids)]]), images };
}

function notebookBatch(images: Images, ids: readonly number[], { vocabulary }: ExplainWordsOptions): ImageBatch {
  const shortest = 3;
  const padded = new Int32Array(Math.max(shortest, ids.length)).fill(vocabulary.pad ?? 0);
  padded.set(ids);
  const batch = collateShifted(images, [padded]);
  return { ...batch, images, targets: batch.targets.fill(-1, ids.length - 1) };
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
