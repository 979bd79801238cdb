import type { Caption } from "./caption.ts";
import type { Captioner, CaptionOptions } from "./captioner.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { ImageDecoders } from "../images/image_decoders.ts";
import { ImageError } from "../images/image_error.ts";
import type { CaptionInput } from "../images/find_inputs.ts";
import { readAhead } from "../read_ahead.ts";

/** Images in a batch. */
export const BATCH = 16;
/** Batches in flight: while one is decoded into captions, the CNN encodes the next. */
const BATCHES_AT_ONCE = 2;
/** How long a live batch waits for its next image, in milliseconds. */
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
export interface FileCaptioner extends Pick<Captioner, "decodeOptions" | "prepare"> {
  /** Captions prepared images. */
  caption(images: readonly RgbImage[], options?: CaptionOptions): Promise<Caption[]>;
}

type Prepared = FileProblem | { readonly image: string; readonly resized: RgbImage };

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
  const decoding = { ...captioner.decodeOptions, ...(maxPixels !== undefined && { maxPixels }) };
  using decoders = new ImageDecoders();

  let inFlight = 0;

  async function counted<T>(work: Promise<T>): Promise<T> {
    inFlight++;
    try {
      return await work;
    } finally {
      inFlight--;
    }
  }

  async function prepare(input: CaptionInput): Promise<Prepared> {
    const { name } = input;
    if ("problem" in input) return { image: name, problem: input.problem };
    try {
      const file = "path" in input ? { path: input.path } : { bytes: input.bytes, name };
      const resized = await decoders.decodeThen(file, (image) => captioner.prepare(image), decoding);
      return { image: name, resized };
    } catch (error) {
      if (error instanceof ImageError) return { image: name, problem: error.message };
      throw error;
    }
  }

  async function caption(batch: readonly Prepared[]): Promise<(FileCaption | FileProblem)[]> {
    const resized = batch.flatMap((prepared) => "resized" in prepared ? [prepared.resized] : []);
    const written = resized.length === 0 ? [] : await captioner.caption(resized, captionOptions);
    let next = 0;
    return batch.map((prepared) => {
      if ("problem" in prepared) return prepared;
      const { caption = "", logProbability = NaN, tokens = [], ...more } = written[next++] ?? {};
      return { image: prepared.image, caption, logProbability, tokens, ...more };
    });
  }

  const prepared = readAhead((input) => counted(prepare(input)), inputs, Math.max(BATCH, decoders.count) - 1);
  // If work is under way, waiting for a full batch costs nothing.
  const batches = inBatches(prepared, { signal, mayBePartial: () => live && inFlight === 0 });
  for await (const results of readAhead((batch) => counted(caption(batch)), batches, BATCHES_AT_ONCE - 1)) {
    yield* results;
  }
}

/** Batches of images with the problems among them; partial ones if `mayBePartial` and the next image is late. */
async function* inBatches(
  source: AsyncGenerator<Prepared, void, undefined>,
  { signal, mayBePartial }: { readonly signal: AbortSignal | undefined; readonly mayBePartial: () => boolean },
): AsyncGenerator<Prepared[], void, undefined> {
  let batch: Prepared[] = [];
  let pending: Promise<IteratorResult<Prepared, void>> | undefined;
  try {
    while (!signal?.aborted) {
      pending ??= source.next();
      const next = batch.length > 0 ? await within(PATIENCE, pending) : await pending;
      if (next === undefined && !mayBePartial()) continue;
      if (next !== undefined) pending = undefined;
      if (next?.done) break;
      if (next !== undefined) batch.push(next.value);
      if (next === undefined || batch.filter((prepared) => "resized" in prepared).length === BATCH) {
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
