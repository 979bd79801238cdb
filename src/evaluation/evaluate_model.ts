/**
 * What a model is worth: its captions of photographs beside those of people.
 *
 * @module
 */

import type { Captioner } from "../captioning/captioner.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { Photograph } from "../pipeline/dataset.ts";
import type { RgbImage } from "../pipeline/images/decode_image.ts";
import { ImageDecoders } from "../pipeline/images/image_decoders.ts";
import { ImageError } from "../pipeline/images/image_error.ts";
import { readAhead } from "../pipeline/read_ahead.ts";
import type { ScoredCaption } from "./score_captions.ts";

/** Options of {@linkcode evaluateModel}. */
export interface EvaluateModelOptions {
  /** How captions are written. */
  readonly decoding: DecodingOptions;
  /**
   * The most pixels that an image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /** Called as photographs are done. */
  readonly onProgress: (done: number, total: number) => void;
  /** Ends the evaluation with its reason. */
  readonly signal: AbortSignal;
}

/** What a model wrote. */
export interface ModelCaptions {
  /** Its captions, with people's. */
  readonly captions: readonly ScoredCaption[];
  /** Why photographs have none. */
  readonly problems: readonly string[];
  /**
   * Two to the power of the mean bits of a word in people's captions, `<end>` included; absent where several models write
   * together, and for the notebook recipe.
   */
  readonly perplexity?: number;
}

const BATCH = 16;

/**
 * Lets a model caption photographs; its CNN looks at each once.
 *
 * @param captioner The model.
 * @param photographs The photographs.
 * @param options See {@linkcode EvaluateModelOptions}.
 * @returns The captions, in the order of the photographs.
 * @throws {InputError} If captions cannot be as the options say.
 */
export async function evaluateModel(
  captioner: Captioner,
  photographs: readonly Photograph[],
  options: EvaluateModelOptions,
): Promise<ModelCaptions> {
  const { decoding, maxPixels, onProgress, signal } = options;
  const { orientation } = captioner;
  using decoders = new ImageDecoders();
  const alone = captioner.models === 1;
  const scores = alone && captioner.metadata.decoding.firstWord === undefined;
  const captions: ScoredCaption[] = [];
  const problems: string[] = [];
  let [logProbability, words, done] = [0, 0, 0];
  let batch: { readonly photograph: Photograph; readonly square: RgbImage }[] = [];

  async function load(photograph: Photograph) {
    try {
      const decoded = { orientation, ...(maxPixels !== undefined && { maxPixels }) };
      return {
        photograph,
        square: await decoders.decodeThen(photograph, (image) => captioner.prepare(image), decoded),
      };
    } catch (error) {
      if (error instanceof ImageError) return { problem: error.message };
      throw error;
    }
  }

  async function write(): Promise<void> {
    signal.throwIfAborted();
    if (batch.length === 0) return;
    const squares = batch.map(({ square }) => square);
    // Drawn captions depend on the photograph itself.
    const seen = alone && decoding.sampling === undefined ? await captioner.encode(squares) : squares;
    const written = await captioner.caption(seen, decoding);
    for (const [index, { photograph: { name, captions: references } }] of batch.entries()) {
      captions.push({ image: name, caption: written[index]?.caption ?? "", references });
    }
    if (scores) {
      const features = "count" in seen ? seen : await captioner.encode(squares);
      const given = batch.map(({ photograph }) =>
        photograph.captions.map((caption) => captioner.encodeCaption(caption))
      );
      logProbability += (await captioner.score(features, given)).reduce((sum, value) => sum + value, 0);
      words += given.flat().reduce((sum, ids) => sum + ids.length - 1, 0);
    }
    batch = [];
  }

  for await (const loaded of readAhead(load, photographs, BATCH)) {
    if (loaded.problem === undefined) batch.push(loaded);
    else problems.push(loaded.problem);
    if (batch.length === BATCH) await write();
    onProgress(++done, photographs.length);
  }
  await write();
  return { captions, problems, ...(words > 0 && { perplexity: Math.exp(-logProbability / words) }) };
}
