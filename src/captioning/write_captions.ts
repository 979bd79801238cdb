/**
 * From what the CNN sees to captions in words.
 *
 * @module
 */

import type { DecodingSettings } from "../checkpoint/checkpoint.ts";
import type { Features } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import type { ModelSettings } from "../ffi/settings.ts";
import { InputError } from "../input_error.ts";
import { UNKNOWN } from "../pipeline/vocabulary.ts";
import { beamSearch, type DecodeStep } from "./beam_search.ts";
import type { Caption, WordSequence } from "./caption.ts";
import type { CaptionVocabulary } from "./caption_vocabulary.ts";
import { detokenize } from "./detokenize.ts";
import { notebookSearch } from "./notebook_search.ts";

/** Options of {@linkcode writeCaptions}. */
export interface WriteCaptionsOptions {
  /** The words. */
  readonly vocabulary: CaptionVocabulary;
  /** The way to the captions. */
  readonly decoding: DecodingSettings;
  /** The network, as far as searching must know it. */
  readonly model: Pick<ModelSettings, "inject" | "vocabularySize">;
  /**
   * Captions pursued for each image.
   *
   * @default {that of `decoding`}
   */
  readonly beam?: number | undefined;
}

/**
 * Writes a caption for each image: by beam search, or greedily where captions begin with a first word.
 *
 * @param engine The model.
 * @param features What its CNN sees in the images.
 * @param options See {@linkcode WriteCaptionsOptions}.
 * @returns The captions in the images' order.
 * @throws {InputError} If the beam is wider than this model's captions allow, or the vocabulary lacks what they need.
 * @throws {RangeError} If the beam is not a positive integer.
 */
export async function writeCaptions(
  engine: Pick<Engine, "startDecoding">,
  features: Features,
  options: WriteCaptionsOptions,
): Promise<Caption[]> {
  const { words: known, unknown } = options.vocabulary;
  using decoding = await engine.startDecoding(features);
  const step: DecodeStep = (parents, words, k) => decoding.step(parents, words, k);
  const sequences = await search(step, features.count, options);
  return sequences.map(({ words, logProbability }) => {
    // A layer may be larger than its vocabulary; what is beyond was never trained.
    const tokens = words.map((id) => known[id] ?? known[unknown ?? -1] ?? UNKNOWN);
    return { caption: detokenize(tokens, { tokenizer: options.decoding.tokenizer ?? "nltk" }), logProbability, tokens };
  });
}

async function search(step: DecodeStep, images: number, options: WriteCaptionsOptions): Promise<WordSequence[]> {
  const { vocabulary, decoding: { firstWord, maxWords, beam }, model } = options;
  const { words, pad, unknown, start, end } = vocabulary;
  const wanted = options.beam ?? (firstWord === undefined ? beam : 1);
  if (firstWord !== undefined) {
    if (wanted !== 1) {
      throw new InputError(
        `Cannot search with beam ${wanted}: a model of the notebook recipe writes greedily; use --beam 1`,
      );
    }
    if (pad === undefined) throw new InputError("Cannot caption: the vocabulary has no <pad>, which ends a caption");
    const first = words.indexOf(firstWord);
    return await notebookSearch(step, {
      images,
      firstWord: first < 0 ? unknown ?? pad : first,
      padding: pad,
      maxWords,
    });
  }
  if (start === undefined || end === undefined) {
    throw new InputError("Cannot caption: the checkpoint's vocabulary has no <start> and <end>");
  }
  return await beamSearch(step, {
    images,
    beam: wanted,
    maxWords,
    start,
    end,
    never: [pad, unknown, start].filter((id) => id !== undefined),
    vocabularySize: model.vocabularySize,
    imageFirst: model.inject === "first",
  });
}
