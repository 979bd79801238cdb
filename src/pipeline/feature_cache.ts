/**
 * The features of a frozen encoder, computed once per dataset: float32 in one file.
 *
 * The file holds the features of each image in turn, each perhaps followed by those of the flipped image, then eight bytes
 * that mark it complete.
 *
 * @module
 */

import { join } from "node:path";
import { anyRank } from "../distributed/collectives.ts";
import { type ProcessGroup, SINGLE_PROCESS } from "../distributed/process_group.ts";
import type { Features, Images } from "../ffi/batch.ts";
import { isEncoderTensor } from "../ffi/encoders.ts";
import type { TensorInfo } from "../ffi/engine.ts";
import { sha256 } from "../files/sha256.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { removeOldTemporaries } from "../files/old_temporaries.ts";
import { openFile, type RandomAccessFile } from "../files/open_file.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";
import type { ImageCache } from "./cache/image_cache.ts";

/** An open cache: close it with `using`, after the last read has ended. */
export interface FeatureCache extends Disposable {
  /** Features of an image. */
  readonly size: number;
  /**
   * Reads the features of an image. Reads may overlap.
   *
   * @param index Its index in the images of the image cache.
   * @param into Filled: `size` numbers.
   * @param flip The features of the flipped image, if the cache has them.
   * @throws {InputError} If the file cannot be read.
   */
  read(index: number, into: Float32Array, flip?: boolean): Promise<void>;
}

/** The calls and properties of an engine that features depend on. */
export interface Encoder {
  readonly precision: string;
  readonly device: string;
  /** CPU threads: how a sum is split among them decides its last bits. */
  readonly threads: number;
  tensors(): Promise<TensorInfo[]>;
  read(tensor: TensorInfo): Promise<Uint8Array<ArrayBuffer>>;
  encode(images: Images): Promise<Features>;
}

/** Options of {@linkcode openFeatureCache}. */
export interface FeatureCacheOptions {
  /** The folder of the caches; created if it is missing. */
  readonly folder: string;
  /** Side of the encoder's input in pixels. */
  readonly imageSize: number;
  /**
   * Also compute the features of each image flipped horizontally.
   *
   * @default {false}
   */
  readonly flips?: boolean;
  /**
   * Is called as features are computed.
   *
   * @default {undefined}
   */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Ends the computation.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
  /**
   * Processes that compute a part of the batches each; those of one machine share the file.
   *
   * @default {SINGLE_PROCESS}
   */
  readonly group?: ProcessGroup & { readonly localRank?: number };
}

const MARK = "lrcnfea1";
const BYTES = 4;
/** The same in every run: the features' last bits depend on it. */
const BATCH_SIZE = 16;

/**
 * Opens the features of images, and computes them if they are not cached. The file's name is a digest of the images, their
 * size, the encoder's weights, and how it computes.
 *
 * @param encoder A model; its last layer does not matter.
 * @returns The cache, in the order of the images.
 * @throws {InputError} If the cache cannot be written.
 */
export async function openFeatureCache(
  encoder: Encoder,
  images: Pick<ImageCache, "examples" | "read" | "fingerprint">,
  options: FeatureCacheOptions,
): Promise<FeatureCache> {
  const { folder, imageSize, flips = false } = options;
  const path = join(folder, `${await digest(encoder, images.fingerprint, imageSize, flips)}.features`);
  const views = flips ? 2 : 1;
  const count = images.examples.length;
  await removeOldTemporaries(folder);
  const group = options.group ?? SINGLE_PROCESS;
  const found = await openIfWhole(path, count, views);
  if (!await anyRank(group, found === undefined) && found !== undefined) return found;
  found?.[Symbol.dispose]();
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new InputError(`Cannot create the folder '${folder}': ${fileErrorReason(error)}`, { cause: error });
  }
  const features = featuresOf(encoder, images, options);
  if ((options.group?.localRank ?? 0) === 0) await writeAtomic(path, features);
  else await Array.fromAsync(features, () => undefined);
  await anyRank(group, false); // wait until the file is there
  const made = await openIfWhole(path, count, views);
  if (made === undefined) throw new InputError(`Cannot read '${path}': another program changed it, start again`);
  return made;
}

async function* featuresOf(
  encoder: Encoder,
  images: Pick<ImageCache, "examples" | "read">,
  { imageSize: side, flips = false, onProgress, signal, group = SINGLE_PROCESS }: FeatureCacheOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const total = images.examples.length;
  const bytes = side * side * 3;
  const together = BATCH_SIZE * group.worldSize;
  for (let start = 0; start < total; start += together) {
    if (await anyRank(group, signal?.aborted ?? false)) {
      throw signal?.reason ?? new DOMException("Stopped", "AbortError");
    }
    const first = Math.min(total, start + group.rank * BATCH_SIZE);
    const count = Math.min(BATCH_SIZE, total - first);
    const pixels = new Uint8Array(count * bytes);
    await Promise.all(Array.from({ length: count }, (_, index) => {
      const into = pixels.subarray(index * bytes, (index + 1) * bytes);
      return images.read(first + index, side, into);
    }));
    const shape = { height: side, width: side };
    const given = flips ? { ...shape, count: 2 * count, pixels: withFlips(pixels, side) } : { ...shape, count, pixels };
    const { values } = count === 0 ? { values: new Float32Array() } : await encoder.encode(given);
    yield* await group.allGather(new Uint8Array(values.buffer));
    onProgress?.(Math.min(total, start + together), total);
  }
  yield new TextEncoder().encode(MARK);
}

/** Each image, followed by itself flipped horizontally. */
function withFlips(pixels: Uint8Array, side: number): Uint8Array<ArrayBuffer> {
  const bytes = side * side * 3;
  const both = new Uint8Array(2 * pixels.length);
  for (let start = 0; start < pixels.length; start += bytes) {
    both.set(pixels.subarray(start, start + bytes), 2 * start);
    const flipped = both.subarray(2 * start + bytes, 2 * (start + bytes));
    for (let row = 0; row < bytes; row += side * 3) {
      for (let column = 0; column < side; column++) {
        const from = start + row + (side - 1 - column) * 3;
        flipped.set(pixels.subarray(from, from + 3), row + column * 3);
      }
    }
  }
  return both;
}

/** A digest of everything that features depend on. */
async function digest(encoder: Encoder, fingerprint: string, imageSize: number, flips: boolean): Promise<string> {
  const parts = [fingerprint, imageSize, flips, encoder.device, encoder.precision, encoder.threads].map(String);
  for (const tensor of await encoder.tensors()) {
    const { name, kind } = tensor;
    if ((kind !== "parameter" && kind !== "buffer") || !isEncoderTensor(name)) continue;
    parts.push(name, await sha256(await encoder.read(tensor)));
  }
  return await sha256(JSON.stringify(parts));
}

async function isWhole(file: RandomAccessFile, size: number): Promise<boolean> {
  if (!Number.isInteger(size) || size < 1) return false;
  try {
    return new TextDecoder().decode(await file.read(file.size - MARK.length, MARK.length)) === MARK;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

async function openIfWhole(path: string, count: number, views: number): Promise<FeatureCache | undefined> {
  let file: RandomAccessFile;
  try {
    file = await openFile(path);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
  const size = (file.size - MARK.length) / BYTES / count / views;
  if (!await isWhole(file, size)) {
    file[Symbol.dispose]();
    return undefined;
  }
  return {
    size,
    async read(index, into, flip = false) {
      if (flip && views === 1) throw new RangeError("Cannot read features of a flipped image: the cache has none");
      const bytes = await file.read((index * views + Number(flip)) * size * BYTES, size * BYTES);
      into.set(new Float32Array(bytes.buffer));
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
