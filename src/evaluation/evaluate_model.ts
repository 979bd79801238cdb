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
  /** Decoding options. */
  readonly decoding: DecodingOptions;
  /**
   * Largest number of pixels of an image.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /** Called after each image. */
  readonly onProgress: (done: number, total: number) => void;
  /** Aborts with its reason. */
  readonly signal: AbortSignal;
  /**
   * Processes over which the images are distributed.
   *
   * @default {SINGLE_PROCESS}
   */
  readonly group?: ProcessGroup;
}

/** A model's captions of images. */
export interface ModelCaptions {
  /** The captions, with their references. */
  readonly captions: readonly ScoredCaption[];
  /** Why images have no caption. */
  readonly problems: readonly string[];
  /** Perplexity per token of the references, `<end>` included; absent for ensembles and the notebook recipe. */
  readonly perplexity?: number;
}

const BATCH = 16;

/**
 * Captions images; the CNN runs once for each.
 *
 * @returns The captions, in the order of the images.
 * @throws {InputError} If no caption can satisfy the options.
 */
export async function evaluateModel(
  captioner: Captioner,
  examples: readonly Example[],
  options: EvaluateModelOptions,
): Promise<ModelCaptions> {
  const { decoding, maxPixels, onProgress, signal, group = SINGLE_PROCESS } = options;
  const shard = shardBatches([...examples.entries()], { ...group, batchSize: BATCH });
  using decoders = new ImageDecoders();
  const alone = captioner.models === 1;
  const scores = alone && captioner.metadata.decoding.firstWord === undefined;
  const captions: Indexed[] = [];
  const problems: Indexed[] = [];
  let [logProbability, tokens, done] = [0, 0, 0];
  let batch: { readonly index: number; readonly example: Example; readonly resized: RgbImage }[] = [];

  async function load([index, example]: readonly [number, Example]) {
    try {
      const decoded = { ...captioner.decodeOptions, ...(maxPixels !== undefined && { maxPixels }) };
      return {
        index,
        example,
        resized: await decoders.decodeThen(example, (image) => captioner.prepare(image), decoded),
      };
    } catch (error) {
      if (error instanceof ImageError) return { index, problem: error.message };
      throw error;
    }
  }

  async function write(): Promise<void> {
    signal.throwIfAborted();
    if (batch.length === 0) return;
    const resized = batch.map(({ resized }) => resized);
    // Sampling is keyed by the image itself.
    const input = alone && decoding.sampling === undefined ? await captioner.encode(resized) : resized;
    const written = await captioner.caption(input, decoding);
    for (const [at, { index }] of batch.entries()) captions.push([index, written[at]?.caption ?? ""]);
    if (scores) {
      const features = "count" in input ? input : await captioner.encode(resized);
      const given = batch.map(({ example }) => example.captions.map((caption) => captioner.encodeCaption(caption)));
      logProbability += (await captioner.score(features, given)).reduce((sum, value) => sum + value, 0);
      tokens += given.flat().reduce((sum, ids) => sum + ids.length - 1, 0);
    }
    batch = [];
  }

  for await (const loaded of readAhead(load, shard, BATCH)) {
    if (loaded.problem === undefined) batch.push(loaded);
    else problems.push([loaded.index, loaded.problem]);
    if (batch.length === BATCH) await write();
    onProgress(++done, shard.length);
  }
  await write();
  return await gathered(examples, { captions, problems, logProbability, tokens }, group);
}

/** A text of the image of an index. */
type Indexed = readonly [index: number, text: string];

/** Gathers the captions of all ranks, in the order of the images. */
async function gathered(
  examples: readonly Example[],
  here: {
    readonly captions: readonly Indexed[];
    readonly problems: readonly Indexed[];
    readonly logProbability: number;
    readonly tokens: number;
  },
  group: ProcessGroup,
): Promise<ModelCaptions> {
  const parts = await allGatherObject(group, { captions: here.captions, problems: here.problems });
  const [logProbability = 0, tokens = 0] = await allReduceSum(group, [here.logProbability, here.tokens]);
  const inOrder = (items: readonly Indexed[]) => items.toSorted(([a], [b]) => a - b);
  const captions = inOrder(parts.flatMap(({ captions }) => captions)).flatMap(([index, caption]) => {
    const example = examples[index];
    return example === undefined ? [] : [{ image: example.name, caption, references: example.captions }];
  });
  const problems = inOrder(parts.flatMap(({ problems }) => problems)).map(([, problem]) => problem);
  return { captions, problems, ...(tokens > 0 && { perplexity: Math.exp(-logProbability / tokens) }) };
}
