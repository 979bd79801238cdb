import { allGatherObject } from "../distributed/collectives.ts";
import type { ProcessGroup } from "../distributed/process_group.ts";
import { shardBatches } from "../distributed/shard.ts";
import type { CaptionInput } from "../images/find_inputs.ts";
import { InputError } from "../input_error.ts";
import { readAhead } from "../read_ahead.ts";
import type { Caption } from "./caption.ts";
import type { CaptionOptions, PreparedImage } from "./captioner.ts";
import { BATCH_SIZE, type Prepared, preparedBatches, type PreparingModel } from "./prepared_batches.ts";

/** Batches in flight: while one is decoded into captions, the CNN encodes the next. */
const BATCHES_AT_ONCE = 2;

/** An image's caption. */
export interface FileCaption extends Caption {
  /** The image as the user named it. */
  readonly image: string;
}

/** Why an image has no caption. */
export interface FileProblem {
  /** The image as the user named it. */
  readonly image: string;
  /** The reason, in one line. */
  readonly problem: string;
}

/** Options of {@linkcode captionFiles}. */
export interface CaptionFilesOptions extends CaptionOptions {
  /**
   * Largest number of pixels of an image.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /**
   * Images arrive one by one: caption those that have arrived instead of waiting for a full batch. If false, batches hold
   * 16 images, and the same images give the same captions to the last digit.
   *
   * @default {false}
   */
  readonly live?: boolean | undefined;
  /**
   * Stops captioning: batches in flight finish, no other starts.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal | undefined;
}

/** A model that captions files. */
export interface FileCaptioner extends PreparingModel {
  /** Captions prepared images. */
  caption(images: readonly PreparedImage[], options?: CaptionOptions): Promise<Caption[]>;
}

/**
 * Captions images, in their order. An image that cannot be decoded does not stop the others.
 *
 * @throws {InputError} If no caption can satisfy the options.
 */
export async function* captionFiles(
  captioner: FileCaptioner,
  inputs: AsyncIterable<CaptionInput>,
  options: CaptionFilesOptions = {},
): AsyncGenerator<FileCaption | FileProblem, void, undefined> {
  const { maxPixels, live = false, signal, ...captionOptions } = options;
  let inFlight = 0;

  async function caption(batch: readonly Prepared<CaptionInput>[]): Promise<(FileCaption | FileProblem)[]> {
    inFlight++;
    try {
      const images = batch.flatMap((prepared) => "image" in prepared ? [prepared.image] : []);
      const written = images.length === 0 ? [] : await captioner.caption(images, captionOptions);
      let next = 0;
      return batch.map((prepared) => {
        const { name: image } = prepared.item;
        if ("problem" in prepared) return { image, problem: prepared.problem };
        const { text = "", logProbability = NaN, tokens = [], ...more } = written[next++] ?? {};
        return { image, text, logProbability, tokens, ...more };
      });
    } finally {
      inFlight--;
    }
  }

  const mayBePartial = () => live && inFlight === 0;
  const batches = preparedBatches(captioner, inputs, { maxPixels, mayBePartial, signal });
  for await (const results of readAhead(caption, batches, BATCHES_AT_ONCE - 1)) yield* results;
}

/** Options of {@linkcode captionTogether}. */
export interface CaptionTogetherOptions extends CaptionFilesOptions {
  /** The process group. */
  readonly group: ProcessGroup;
}

/**
 * Captions images, in their order, with one process or several. Of several, each captions a shard; rank 0 yields all
 * captions once they are gathered, the others yield none.
 *
 * @param inputs The images, the same on all ranks.
 * @throws {InputError} If no caption can satisfy the options, or several processes would read standard input.
 */
export async function* captionTogether(
  captioner: FileCaptioner,
  inputs: AsyncIterable<CaptionInput>,
  { group, ...options }: CaptionTogetherOptions,
): AsyncGenerator<FileCaption | FileProblem, void, undefined> {
  if (group.worldSize === 1) return yield* captionFiles(captioner, inputs, options);
  if (options.live) {
    throw new InputError("Cannot caption images from standard input with several processes: name files or folders");
  }
  const all = await Array.fromAsync(inputs);
  const shard = shardBatches([...all.entries()], { ...group, batchSize: BATCH_SIZE });
  const here = await Array.fromAsync(captionFiles(captioner, inTurn(shard.map(([, input]) => input)), options));
  const parts = await allGatherObject(group, here.map((result, at) => ({ index: shard[at]?.[0] ?? 0, result })));
  if (group.rank > 0) return;
  yield* parts.flat().sort((a, b) => a.index - b.index).map(({ result }) => result);
}

async function* inTurn<Item>(items: readonly Item[]): AsyncGenerator<Item, void, undefined> {
  yield* items;
}
