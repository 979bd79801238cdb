import type { Captioner } from "../captioning/captioner.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { Example } from "../data/dataset.ts";
import { evaluateModel, type ModelCaptions } from "./evaluate_model.ts";
import { refuseUnscorable } from "./refuse_unscorable.ts";
import { scoreCaptions, type ScoreResult, tokenizeCaptions } from "./score_captions.ts";
import { scoringTokenizer } from "./scoring_tokenizer.ts";

/** Options of {@linkcode evaluateCaptioner}. */
export interface EvaluateCaptionerOptions {
  /**
   * Decoding options.
   *
   * @default {the checkpoint's}
   */
  readonly decoding?: DecodingOptions;
  /**
   * Largest number of pixels of an image.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number;
  /**
   * Called after each image.
   *
   * @default {nothing}
   */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Aborts with its reason.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal;
}

/** The result of {@linkcode evaluateCaptioner}. */
export interface CaptionerEvaluation extends ModelCaptions {
  /** The scores of all captions, and of each in the order of `captions`. */
  readonly scores: ScoreResult;
}

/**
 * Captions images and scores the captions against the references, as `deno task evaluate` does: BLEU (Papineni et al.
 * 2002), ROUGE-L (Lin 2004) and CIDEr-D (Vedantam et al. 2015), equal to pycocoevalcap 1.2's.
 *
 * @param examples Images with their captions, such as a test set of {@linkcode readDataset}.
 * @throws {InputError} If no caption can satisfy the options, or no image has one with a word.
 *
 * @example Score a model on the images of a folder
 * ```ts
 * import assert from "node:assert/strict";
 * import { Captioner, evaluateCaptioner, readDataset } from "@lrcn/lrcn";
 *
 * using captioner = await Captioner.load("docs/example/model.safetensors");
 * const { examples } = await readDataset({ data: "docs/example/scenes" });
 * const { scores, captions, problems } = await evaluateCaptioner(captioner, examples, { decoding: { beamSize: 5 } });
 * assert.equal(captions.length, 12);
 * assert.deepEqual(problems, []);
 * assert(scores.corpus.CIDEr > 5 && scores.corpus.Bleu_4 > 0.5);
 * ```
 */
export async function evaluateCaptioner(
  captioner: Captioner,
  examples: readonly Example[],
  options: EvaluateCaptionerOptions = {},
): Promise<CaptionerEvaluation> {
  const { decoding = {}, maxPixels, onProgress = () => {}, signal = new AbortController().signal } = options;
  const found = await evaluateModel(captioner, examples, { decoding, maxPixels, onProgress, signal });
  const tokenizer = scoringTokenizer(captioner.metadata.decoding.tokenizer ?? "nltk");
  const tokens = tokenizeCaptions(found.captions, tokenizer);
  refuseUnscorable(tokens);
  return { ...found, scores: scoreCaptions(tokens) };
}
