/**
 * The features of a frozen encoder, computed once for each image: float32, a row of a database for each image. Each encoder
 * and preprocessing has its own database.
 *
 * @module
 */

import { z } from "zod";
import { allReduceSum, anyRank } from "../distributed/collectives.ts";
import { type ProcessGroup, SINGLE_PROCESS } from "../distributed/process_group.ts";
import type { Features, Images } from "../ffi/batch.ts";
import { isEncoderTensor } from "../ffi/encoders.ts";
import type { TensorInfo } from "../ffi/engine.ts";
import type { Database } from "../files/database.ts";
import { sha256 } from "../files/sha256.ts";
import { InputError } from "../input_error.ts";
import { openCacheDatabase } from "./cache/cache_database.ts";
import type { TrainingImages } from "./training_source.ts";

/** An open cache: close it with `using`, after the last read. */
export interface FeatureCache extends Disposable {
  /** Features of an image. */
  readonly size: number;
  /**
   * Reads the features of an image.
   *
   * @param index Its index in the images of the image cache.
   * @param into Filled: `size` numbers.
   * @param flip The features of the flipped image, if the cache has them.
   * @throws {InputError} If the database cannot be read.
   */
  read(index: number, into: Float32Array, flip?: boolean): void;
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
   * Ends the computation; features computed so far are kept.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
  /**
   * Processes that compute a part of the batches each; the first of each machine writes all of them.
   *
   * @default {SINGLE_PROCESS}
   */
  readonly group?: ProcessGroup & { readonly localRank?: number | undefined };
}

/** Images as far as features need them. */
export type FeatureImages = Pick<TrainingImages, "examples" | "read" | "fingerprint" | "preprocessing" | "contents">;

const SCHEMA = "CREATE TABLE IF NOT EXISTS features (content TEXT PRIMARY KEY, numbers BLOB NOT NULL)";
const featuresRow = z.object({ numbers: z.instanceof(Uint8Array<ArrayBuffer>) });
const BYTES = 4;
/** Images of a call: the features' last bits may depend on their number, so that of the last call may differ. */
const BATCH_SIZE = 16;
/** Images between two transactions. */
const TRANSACTION_IMAGES = 256;

/**
 * Opens the features of images, and computes those that are not cached. The database's name is a digest of the images'
 * preprocessing and size, the encoder's weights, and how it computes.
 *
 * @param encoder A model; its last layer does not matter.
 * @returns The cache, in the order of the images.
 * @throws {InputError} If the cache cannot be written.
 */
export async function openFeatureCache(
  encoder: Encoder,
  images: FeatureImages,
  options: FeatureCacheOptions,
): Promise<FeatureCache> {
  const { folder, imageSize, flips = false, group = SINGLE_PROCESS } = options;
  const name = await digest(encoder, images.preprocessing ?? images.fingerprint, imageSize, flips);
  using stack = new DisposableStack();
  const { database, readOnly } = stack.use(await openCacheDatabase(folder, `${name}.sqlite`, SCHEMA));
  if (database === undefined) throw readOnly;
  const keys = images.contents ?? images.examples.map((_, index) => String(index));
  const isMissing = (key: string) => database.row("SELECT 1 FROM features WHERE content = ?", key) === undefined;

  // An image that one machine lacks is computed for all.
  const lacking = await allReduceSum(group, keys.map((key) => Number(isMissing(key))));
  const first = new Map(keys.map((key, index) => [key, index] as const).reverse());
  const missing = lacking.flatMap((ranks, index) => ranks > 0 && first.get(keys[index] ?? "") === index ? [index] : []);
  if (missing.length > 0) {
    if (readOnly !== undefined) throw readOnly;
    await computeFeatures(encoder, images, { ...options, keys, missing, database });
    await anyRank(group, false); // wait until the rows are there
  }
  const views = flips ? 2 : 1;
  const bytesOf = (index: number) => {
    const row = database.row("SELECT numbers FROM features WHERE content = ?", keys[index] ?? "");
    if (row === undefined) throw new InputError(`Cannot read features in '${folder}': they were removed, start again`);
    return featuresRow.parse(row).numbers;
  };
  const size = bytesOf(0).length / BYTES / views;
  const closing = stack.move();
  return {
    size,
    read(index, into, flip = false) {
      if (flip && !flips) throw new RangeError("Cannot read features of a flipped image: the cache has none");
      into.set(new Float32Array(bytesOf(index).buffer, Number(flip) * size * BYTES, size));
    },
    [Symbol.dispose]: () => closing.dispose(),
  };
}

interface ComputeOptions extends FeatureCacheOptions {
  readonly keys: readonly string[];
  /** Indices of the images to compute, the same on each rank. */
  readonly missing: readonly number[];
  readonly database: Database;
}

async function computeFeatures(
  encoder: Encoder,
  images: FeatureImages,
  { imageSize: side, flips = false, onProgress, signal, group = SINGLE_PROCESS, keys, missing, database }:
    ComputeOptions,
): Promise<void> {
  const total = keys.length;
  const bytes = side * side * 3;
  const shape = { height: side, width: side };
  const together = BATCH_SIZE * group.worldSize;
  const writes = (group.localRank ?? 0) === 0;
  let pending: { readonly key: string; readonly numbers: Uint8Array }[] = [];

  function write(): void {
    const rows = pending;
    pending = [];
    if (!writes || rows.length === 0) return;
    database.transaction(() => {
      for (const { key, numbers } of rows) database.run("INSERT OR REPLACE INTO features VALUES (?, ?)", key, numbers);
    });
  }

  try {
    for (let start = 0; start < missing.length; start += together) {
      if (await anyRank(group, signal?.aborted ?? false)) {
        throw signal?.reason ?? new DOMException("Stopped", "AbortError");
      }
      const batch = missing.slice(start, start + together);
      const mine = batch.slice(group.rank * BATCH_SIZE, (group.rank + 1) * BATCH_SIZE);
      const count = mine.length;
      const pixels = new Uint8Array(count * bytes);
      await Promise.all(mine.map((image, index) => (
        images.read(image, side, pixels.subarray(index * bytes, (index + 1) * bytes))
      )));
      const given = flips
        ? { ...shape, count: 2 * count, pixels: withFlips(pixels, side) }
        : { ...shape, count, pixels };
      const { values } = count === 0 ? { values: new Float32Array() } : await encoder.encode(given);
      for (const [rank, numbers] of (await group.allGather(new Uint8Array(values.buffer))).entries()) {
        const theirs = batch.slice(rank * BATCH_SIZE, (rank + 1) * BATCH_SIZE);
        const size = numbers.length / theirs.length;
        for (const [index, image] of theirs.entries()) {
          pending.push({ key: keys[image] ?? "", numbers: numbers.subarray(index * size, (index + 1) * size) });
        }
      }
      if (pending.length >= TRANSACTION_IMAGES) write();
      onProgress?.(total - missing.length + start + batch.length, total);
    }
  } finally {
    write();
  }
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
async function digest(encoder: Encoder, preprocessing: string, imageSize: number, flips: boolean): Promise<string> {
  const parts = [preprocessing, imageSize, flips, encoder.device, encoder.precision, encoder.threads].map(String);
  for (const tensor of await encoder.tensors()) {
    const { name, kind } = tensor;
    if ((kind !== "parameter" && kind !== "buffer") || !isEncoderTensor(name)) continue;
    parts.push(name, await sha256(await encoder.read(tensor)));
  }
  return await sha256(JSON.stringify(parts));
}
