/**
 * Evaluating a model as one call, for programs.
 *
 * @module
 */

import type { Captioner } from "../captioning/captioner.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { Example } from "../data/dataset.ts";
import { evaluateModel, type ModelCaptions } from "./evaluate_model.ts";
import { scoreCaptions, type ScoreResult, tokenizeCaptions } from "./score_captions.ts";
import { scoringTokenizer } from "./scoring_tokenizer.ts";

/** Options of {@linkcode evaluateCaptioner}. */
export interface EvaluateCaptionerOptions {
  /**
   * How captions are written.
   *
   * @default {as the checkpoint says}
   */
  readonly decoding?: DecodingOptions;
  /**
   * The most pixels that an image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number;
  /**
   * Called as images are done, with those done and all.
   *
   * @default {nothing}
   */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Ends the evaluation with its reason.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal;
}

/** What {@linkcode evaluateCaptioner} finds. */
export interface CaptionerEvaluation extends ModelCaptions {
  /** The scores of all captions, and of each in the order of `captions`. */
  readonly scores: ScoreResult;
}

/**
 * Lets a model caption images, and scores what it wrote by people's captions of them, as `deno task evaluate` does:
 * BLEU (Papineni et al. 2002), ROUGE-L (Lin 2004) and CIDEr-D (Vedantam et al. 2015), equal to pycocoevalcap 1.2's.
 *
 * @param captioner The model.
 * @param images Images with their captions, such as those of {@linkcode readDataset} that no training has seen.
 * @param options See {@linkcode EvaluateCaptionerOptions}.
 * @returns Scores, captions, and why images have none.
 * @throws {InputError} If captions cannot be as the options say.
 *
 * @example Scores of a model on the images of a folder
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
  return { ...found, scores: scoreCaptions(tokenizeCaptions(found.captions, tokenizer)) };
}
