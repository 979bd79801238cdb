/**
 * What a model is worth: its captions of images beside those of people.
 *
 * @module
 */

import { allGatherObject, allReduceSum } from "../distributed/collectives.ts";
import { type ProcessGroup, SINGLE_PROCESS } from "../distributed/process_group.ts";
import { shardBatches } from "../distributed/shard.ts";
import type { Captioner } from "../captioning/captioner.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { Example } from "../data/dataset.ts";
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
  /** Called as images are done. */
  readonly onProgress: (done: number, total: number) => void;
  /** Ends the evaluation with its reason. */
  readonly signal: AbortSignal;
  /**
   * Processes that evaluate together, each a part of the images.
   *
   * @default {SINGLE_PROCESS}
   */
  readonly group?: ProcessGroup;
}

/** What a model wrote. */
export interface ModelCaptions {
  /** Its captions, with people's. */
  readonly captions: readonly ScoredCaption[];
  /** Why images have none. */
  readonly problems: readonly string[];
  /**
   * Two to the power of the mean bits of a word in people's captions, `<end>` included; absent where several models write
   * together, and for the notebook recipe.
   */
  readonly perplexity?: number;
}

const BATCH = 16;

/**
 * Lets a model caption images; its CNN looks at each once.
 *
 * @param captioner The model.
 * @param images The images.
 * @param options See {@linkcode EvaluateModelOptions}.
 * @returns The captions, in the order of the images.
 * @throws {InputError} If captions cannot be as the options say.
 */
export async function evaluateModel(
  captioner: Captioner,
  examples: readonly Example[],
  options: EvaluateModelOptions,
): Promise<ModelCaptions> {
  const { decoding, maxPixels, onProgress, signal, group = SINGLE_PROCESS } = options;
  const share = shardBatches([...examples.entries()], { ...group, batchSize: BATCH });
  const { applyExif } = captioner;
  using decoders = new ImageDecoders();
  const alone = captioner.models === 1;
  const scores = alone && captioner.metadata.decoding.firstWord === undefined;
  const captions: Placed[] = [];
  const problems: Placed[] = [];
  let [logProbability, words, done] = [0, 0, 0];
  let batch: { readonly place: number; readonly example: Example; readonly square: RgbImage }[] = [];

  async function load([place, example]: readonly [number, Example]) {
    try {
      const decoded = { applyExif, ...(maxPixels !== undefined && { maxPixels }) };
      return {
        ...{ place, example },
        square: await decoders.decodeThen(example, (image) => captioner.prepare(image), decoded),
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
    // Drawn captions depend on the image itself.
    const seen = alone && decoding.sampling === undefined ? await captioner.encode(squares) : squares;
    const written = await captioner.caption(seen, decoding);
    for (const [index, { place }] of batch.entries()) captions.push([place, written[index]?.caption ?? ""]);
    if (scores) {
      const features = "count" in seen ? seen : await captioner.encode(squares);
      const given = batch.map(({ example }) => example.captions.map((caption) => captioner.encodeCaption(caption)));
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
  return await gathered(examples, { captions, problems, logProbability, words }, group);
}

/** A text of the image at a place. */
type Placed = readonly [place: number, text: string];

/** What all ranks wrote, in the order of the images. */
async function gathered(
  examples: readonly Example[],
  here: {
    readonly captions: readonly Placed[];
    readonly problems: readonly Placed[];
    readonly logProbability: number;
    readonly words: number;
  },
  group: ProcessGroup,
): Promise<ModelCaptions> {
  const parts = await allGatherObject(group, { captions: here.captions, problems: here.problems });
  const [logProbability = 0, words = 0] = await allReduceSum(group, [here.logProbability, here.words]);
  const inOrder = (items: readonly Placed[]) => items.toSorted(([a], [b]) => a - b);
  const captions = inOrder(parts.flatMap(({ captions }) => captions)).flatMap(([place, caption]) => {
    const example = examples[place];
    return example === undefined ? [] : [{ image: example.name, caption, references: example.captions }];
  });
  const problems = inOrder(parts.flatMap(({ problems }) => problems)).map(([, problem]) => problem);
  return { captions, problems, ...(words > 0 && { perplexity: Math.exp(-logProbability / words) }) };
}
