/**
 * Captions of images, as they come.
 *
 * @module
 */

import type { Caption } from "./caption.ts";
import type { Captioner, CaptionOptions } from "./captioner.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { ImageDecoders } from "../images/image_decoders.ts";
import { ImageError } from "../images/image_error.ts";
import type { CaptionInput } from "../images/find_inputs.ts";
import { overlap } from "../overlap.ts";

/** Images captioned at a time. */
export const BATCH = 16;
/** Batches in work: while one is searched for captions, the CNN looks at the next. */
const BATCHES_AT_ONCE = 2;
/** How long a batch waits for its next image where images come one by one, in milliseconds. */
const PATIENCE = 30;

/** An image's caption. */
export interface FileCaption extends Caption {
  /** The image as the user named it. */
  readonly image: string;
}

/** Why an image has no caption. */
export interface FileProblem {
  /** The image as the user named it. */
  readonly image: string;
  /** What is wrong, in a line. */
  readonly problem: string;
}

/** Options of {@linkcode captionFiles}. */
export interface CaptionFilesOptions extends CaptionOptions {
  /**
   * The most pixels that an image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /**
   * Whether images come one by one, so that those that are there do not wait for others. Else they are captioned 16 at a
   * time, and the same images give the same captions to the last digit.
   *
   * @default {false}
   */
  readonly live?: boolean | undefined;
  /**
   * Ends it: batches in work are finished, no other is begun.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal | undefined;
}

/** A model that captions files. */
export interface FileCaptioner extends Pick<Captioner, "applyExif" | "prepare"> {
  /** Captions prepared images. */
  caption(images: readonly RgbImage[], options?: CaptionOptions): Promise<Caption[]>;
}

type Prepared = FileProblem | { readonly image: string; readonly square: RgbImage };

/**
 * Captions images, in their order. What cannot be decoded does not stop the others.
 *
 * @param captioner The model.
 * @param inputs The images.
 * @param options See {@linkcode CaptionFilesOptions}.
 * @returns Captions and problems as they come.
 * @throws {InputError} If captions cannot be as the options say.
 */
export async function* captionFiles(
  captioner: FileCaptioner,
  inputs: AsyncIterable<CaptionInput>,
  options: CaptionFilesOptions = {},
): AsyncGenerator<FileCaption | FileProblem, void, undefined> {
  const { maxPixels, live = false, signal, ...captionOptions } = options;
  const decoding = { applyExif: captioner.applyExif, ...(maxPixels !== undefined && { maxPixels }) };
  using decoders = new ImageDecoders();

  let inWork = 0;

  async function counted<T>(work: Promise<T>): Promise<T> {
    inWork++;
    try {
      return await work;
    } finally {
      inWork--;
    }
  }

  async function prepare(input: CaptionInput): Promise<Prepared> {
    const { name } = input;
    if ("problem" in input) return { image: name, problem: input.problem };
    try {
      const file = "path" in input ? { path: input.path } : { bytes: input.bytes, name };
      const square = await decoders.decodeThen(file, (image) => captioner.prepare(image), decoding);
      return { image: name, square };
    } catch (error) {
      if (error instanceof ImageError) return { image: name, problem: error.message };
      throw error;
    }
  }

  async function caption(batch: readonly Prepared[]): Promise<(FileCaption | FileProblem)[]> {
    const squares = batch.flatMap((prepared) => "square" in prepared ? [prepared.square] : []);
    const written = squares.length === 0 ? [] : await captioner.caption(squares, captionOptions);
    let next = 0;
    return batch.map((prepared) => {
      if ("problem" in prepared) return prepared;
      const { caption = "", logProbability = NaN, tokens = [], ...more } = written[next++] ?? {};
      return { image: prepared.image, caption, logProbability, tokens, ...more };
    });
  }

  const prepared = overlap(inputs, (input) => counted(prepare(input)), Math.max(BATCH, decoders.count));
  // Where work is under way, waiting for a whole batch costs nothing.
  const batches = inBatches(prepared, { signal, mayBeLess: () => live && inWork === 0 });
  for await (const results of overlap(batches, (batch) => counted(caption(batch)), BATCHES_AT_ONCE)) yield* results;
}

/** Batches of a number of images and the problems among them; or of less, where that may be and the next lets wait. */
async function* inBatches(
  source: AsyncGenerator<Prepared, void, undefined>,
  { signal, mayBeLess }: { readonly signal: AbortSignal | undefined; readonly mayBeLess: () => boolean },
): AsyncGenerator<Prepared[], void, undefined> {
  let batch: Prepared[] = [];
  let coming: Promise<IteratorResult<Prepared, void>> | undefined;
  try {
    while (!signal?.aborted) {
      coming ??= source.next();
      const next = batch.length > 0 ? await within(PATIENCE, coming) : await coming;
      if (next === undefined && !mayBeLess()) continue;
      if (next !== undefined) coming = undefined;
      if (next?.done) break;
      if (next !== undefined) batch.push(next.value);
      if (next === undefined || batch.filter((prepared) => "square" in prepared).length === BATCH) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0 && !signal?.aborted) yield batch;
  } finally {
    await source.return();
  }
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
