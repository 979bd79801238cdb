// Images on their way to a model, in batches: read, decode, resize.

import { ImageDecoders } from "../images/image_decoders.ts";
import { ImageError } from "../images/image_error.ts";
import type { ImageBytes, ImageFile } from "../images/image_file.ts";
import { readAhead } from "../read_ahead.ts";
import type { Captioner, PreparedImage } from "./captioner.ts";

/** Images in a batch. The last digits of a result depend on it. */
export const BATCH_SIZE = 16;
/** How long a partial batch waits for its next image, in milliseconds. */
const PATIENCE = 30;

/** The part of a model that prepares images. */
export type PreparingModel = Pick<Captioner, "decodeOptions" | "prepare">;

/** An image to prepare, or the reason that there is none. */
export type PreparedItem = ImageFile | ImageBytes | { readonly problem: string };

/** An image that is ready for the model, or the reason that it is not. */
export type Prepared<Item> = { readonly item: Item; readonly image: PreparedImage } | Unprepared<Item>;

interface Unprepared<Item> {
  readonly item: Item;
  readonly problem: string;
}

/** Options of {@linkcode preparedBatches}. */
export interface PreparedBatchesOptions {
  /**
   * Largest number of pixels of an image.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /**
   * Whether a batch may be partial if its next image is late and no other is being prepared.
   *
   * @default {never}
   */
  readonly mayBePartial?: () => boolean;
  /**
   * Stops the batches.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode prepareFile}. */
export interface PrepareFileOptions extends Pick<PreparedBatchesOptions, "maxPixels" | "signal"> {
  readonly decoders: Pick<ImageDecoders, "decodeThen">;
}

/**
 * Decodes an image and prepares it for a model.
 *
 * @throws {ImageError} If it cannot be decoded.
 */
export async function prepareFile(
  model: PreparingModel,
  file: ImageFile | ImageBytes,
  { decoders, maxPixels, signal }: PrepareFileOptions,
): Promise<PreparedImage> {
  const options = {
    ...model.decodeOptions,
    ...(maxPixels !== undefined && { maxPixels }),
    ...(signal !== undefined && { signal }),
  };
  return await decoders.decodeThen(file, (image) => model.prepare(image), options);
}

/** Prepares images in batches of {@linkcode BATCH_SIZE}, in their order; those that cannot be decoded are among them. */
export async function* preparedBatches<Item extends PreparedItem>(
  model: PreparingModel,
  items: Iterable<Item> | AsyncIterable<Item>,
  { maxPixels, mayBePartial = () => false, signal }: PreparedBatchesOptions = {},
): AsyncGenerator<Prepared<Item>[], void, undefined> {
  using decoders = new ImageDecoders();
  let inFlight = 0;

  async function prepare(item: Item): Promise<Prepared<Item>> {
    inFlight++;
    try {
      if ("problem" in item) return { item, problem: item.problem };
      return { item, image: await prepareFile(model, item, { decoders, maxPixels }) };
    } catch (error) {
      if (error instanceof ImageError) return { item, problem: error.message };
      throw error;
    } finally {
      inFlight--;
    }
  }

  const source = readAhead(prepare, items, Math.max(BATCH_SIZE, decoders.count) - 1);
  let batch: Prepared<Item>[] = [];
  let pending: Promise<IteratorResult<Prepared<Item>, void>> | undefined;
  try {
    while (!signal?.aborted) {
      pending ??= source.next();
      const next = batch.length > 0 ? await within(PATIENCE, pending) : await pending;
      // If work is under way, waiting for a full batch costs nothing.
      if (next === undefined && (inFlight > 0 || !mayBePartial())) continue;
      if (next !== undefined) pending = undefined;
      if (next?.done) break;
      if (next !== undefined) batch.push(next.value);
      if (next === undefined || batch.filter((prepared) => "image" in prepared).length === BATCH_SIZE) {
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
