/**
 * What a model is worth: its captions of photographs beside those of people.
 *
 * @module
 */

import { gather, sums } from "../distributed/exchange.ts";
import { ALONE, type Ranks } from "../distributed/ranks.ts";
import { shareOfBatches } from "../distributed/share.ts";
import type { Captioner } from "../captioning/captioner.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { Photograph } from "../data/dataset.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { ImageDecoders } from "../images/image_decoders.ts";
import { ImageError } from "../images/image_error.ts";
import { readAhead } from "../read_ahead.ts";
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
  /**
   * Processes that evaluate together, each a part of the photographs.
   *
   * @default {ALONE}
   */
  readonly ranks?: Ranks;
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
  const { decoding, maxPixels, onProgress, signal, ranks = ALONE } = options;
  const share = shareOfBatches([...photographs.entries()], { ...ranks, batchSize: BATCH });
  const { orientation } = captioner;
  using decoders = new ImageDecoders();
  const alone = captioner.models === 1;
  const scores = alone && captioner.metadata.decoding.firstWord === undefined;
  const captions: Placed[] = [];
  const problems: Placed[] = [];
  let [logProbability, words, done] = [0, 0, 0];
  let batch: { readonly place: number; readonly photograph: Photograph; readonly square: RgbImage }[] = [];

  async function load([place, photograph]: readonly [number, Photograph]) {
    try {
      const decoded = { orientation, ...(maxPixels !== undefined && { maxPixels }) };
      return {
        ...{ place, photograph },
        square: await decoders.decodeThen(photograph, (image) => captioner.prepare(image), decoded),
      };
    } catch (error) {
      if (error instanceof ImageError) return { place, problem: error.message };
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
    for (const [index, { place }] of batch.entries()) captions.push([place, written[index]?.caption ?? ""]);
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

  for await (const loaded of readAhead(load, share, BATCH)) {
    if (loaded.problem === undefined) batch.push(loaded);
    else problems.push([loaded.place, loaded.problem]);
    if (batch.length === BATCH) await write();
    onProgress(++done, share.length);
  }
  await write();
  return await gathered(photographs, { captions, problems, logProbability, words }, ranks);
}

/** A text of the photograph at a place. */
type Placed = readonly [place: number, text: string];

/** What all ranks wrote, in the order of the photographs. */
async function gathered(
  photographs: readonly Photograph[],
  here: {
    readonly captions: readonly Placed[];
    readonly problems: readonly Placed[];
    readonly logProbability: number;
    readonly words: number;
  },
  ranks: Ranks,
): Promise<ModelCaptions> {
  const parts = await gather(ranks, { captions: here.captions, problems: here.problems });
  const [logProbability = 0, words = 0] = await sums(ranks, [here.logProbability, here.words]);
  const inOrder = (items: readonly Placed[]) => items.toSorted(([a], [b]) => a - b);
  const captions = inOrder(parts.flatMap(({ captions }) => captions)).flatMap(([place, caption]) => {
    const photograph = photographs[place];
    return photograph === undefined ? [] : [{ image: photograph.name, caption, references: photograph.captions }];
  });
  const problems = inOrder(parts.flatMap(({ problems }) => problems)).map(([, problem]) => problem);
  return { captions, problems, ...(words > 0 && { perplexity: Math.exp(-logProbability / words) }) };
}
