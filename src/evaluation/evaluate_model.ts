import { allGatherObject, allReduceSum } from "../distributed/collectives.ts";
import { type ProcessGroup, SINGLE_PROCESS } from "../distributed/process_group.ts";
import { shardBatches } from "../distributed/shard.ts";
import type { Captioner } from "../captioning/captioner.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { Example } from "../data/dataset.ts";
import type { PreparedImage } from "../captioning/captioner.ts";
import { BATCH_SIZE, preparedBatches } from "../captioning/prepared_batches.ts";
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
  const indexed = examples.map((example, index) => ({ ...example, index }));
  const shard = shardBatches(indexed, { ...group, batchSize: BATCH_SIZE });
  const alone = captioner.models === 1;
  const scores = alone && captioner.metadata.decoding.firstWord === undefined;
  const captions: Indexed[] = [];
  const problems: Indexed[] = [];
  let [logProbability, tokens, done] = [0, 0, 0];

  async function write(examples: readonly IndexedExample[], images: readonly PreparedImage[]): Promise<void> {
    // Sampling is keyed by the image itself.
    const input = alone && decoding.sampling === undefined ? await captioner.encode(images) : images;
    const written = await captioner.caption(input, decoding);
    for (const [at, { index }] of examples.entries()) captions.push([index, written[at]?.text ?? ""]);
    if (!scores) return;
    const features = "count" in input ? input : await captioner.encode(images);
    const given = examples.map(({ captions }) => captions.map((caption) => captioner.encodeCaption(caption)));
    logProbability += (await captioner.score(features, given)).reduce((sum, value) => sum + value, 0);
    tokens += given.flat().reduce((sum, ids) => sum + ids.length - 1, 0);
  }

  for await (const batch of preparedBatches(captioner, shard, { maxPixels })) {
    signal.throwIfAborted();
    const images: PreparedImage[] = [];
    const shown: IndexedExample[] = [];
    for (const prepared of batch) {
      if ("problem" in prepared) problems.push([prepared.item.index, prepared.problem]);
      else {
        shown.push(prepared.item);
        images.push(prepared.image);
      }
    }
    if (images.length > 0) await write(shown, images);
    for (const _ of batch) onProgress(++done, shard.length);
  }
  return await gathered(examples, { captions, problems, logProbability, tokens }, group);
}

type IndexedExample = Example & { readonly index: number };

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
