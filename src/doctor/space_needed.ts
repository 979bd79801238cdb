/**
 * How much room a training takes on the disk.
 *
 * @module
 */

import { dirname } from "node:path";
import { featureSize } from "../ffi/encoders.ts";
import type { TensorInfo } from "../ffi/engine.ts";
import { describeBytes, freeBytes } from "../files/free_space.ts";
import { resizedBytes } from "../pipeline/cache/resized_file.ts";
import type { Recipe } from "../pipeline/recipe.ts";

/** Bytes on the disk. */
export interface SpaceExamination {
  /** All decoded images in the cache, those that are there already among them; 0 where none are kept. */
  readonly images: number;
  /** Features of the frozen CNN in the cache. */
  readonly features: number;
  /** Left where the cache is; absent where that is not known. */
  readonly cacheFree?: number;
  /** The run's checkpoints, while one of them is being replaced. */
  readonly checkpoints: number;
  /** Left where they go; absent where that is not known. */
  readonly runFree?: number;
}

/** Options of {@linkcode spaceNeeded}. */
export interface SpaceNeededOptions {
  /** The settings. */
  readonly recipe: Pick<Recipe, "name" | "encoder" | "encoderWidth" | "frozenEpochs">;
  /** Side of the cached squares. */
  readonly side: number;
  /** Images that can be decoded. */
  readonly images: number;
  /** The model's tensors. */
  readonly tensors: readonly TensorInfo[];
  /** The cache's folder. */
  readonly cache: string;
  /**
   * Whether decoded images are kept.
   *
   * @default {true}
   */
  readonly keepImages?: boolean;
  /** The run's folder. */
  readonly out: string;
  /**
   * Bytes that a folder's disk has left.
   *
   * @default {asks the system}
   */
  readonly free?: typeof freeBytes;
}

const FLOAT_BYTES = 4;

/**
 * Computes what a training writes.
 *
 * @param options See {@linkcode SpaceNeededOptions}.
 * @returns Bytes needed and left.
 */
export async function spaceNeeded(options: SpaceNeededOptions): Promise<SpaceExamination> {
  const { recipe, side, images, tensors, cache, keepImages = true, out, free = freeBytes } = options;
  const bytesOf = (kind: TensorInfo["kind"]) =>
    tensors.filter((tensor) => tensor.kind === kind)
      .reduce((sum, { shape }) => sum + FLOAT_BYTES * shape.reduce((product, length) => product * length, 1), 0);
  const [parameters, buffers] = [bytesOf("parameter"), bytesOf("buffer")];
  const best = parameters + buffers;
  // Adam keeps two moments of each parameter.
  const last = 3 * parameters + buffers;
  const notebook = recipe.name === "notebook" ? best : 0;
  const [cacheFree, runFree] = [await freeAt(cache, free), await freeAt(out, free)];
  return {
    images: keepImages ? images * resizedBytes(side) : 0,
    features: recipe.frozenEpochs > 0 ? images * featureSize(recipe) * FLOAT_BYTES : 0,
    ...(cacheFree !== undefined && { cacheFree }),
    checkpoints: best + 2 * last + notebook,
    ...(runFree !== undefined && { runFree }),
  };
}

/**
 * Says what there is no room for; decoded images are not among it: training goes on without keeping them.
 *
 * @param space Bytes needed and left.
 * @returns A line for each.
 */
export function spaceErrors(
  { features, cacheFree = Infinity, checkpoints, runFree = Infinity }: SpaceExamination,
): string[] {
  const parts = [
    { what: "features", needed: features, left: cacheFree, option: "--cache" },
    { what: "checkpoints", needed: checkpoints, left: runFree, option: "--out" },
  ];
  return parts.filter(({ needed, left }) => needed > left).map(({ what, needed, left, option }) =>
    `Cannot write ${what}: they need ${describeBytes(needed)} and the disk has ${describeBytes(left)} left; ` +
    `free some space, or name another folder by ${option}`
  );
}

/** What is left where a folder is or will be made. */
async function freeAt(folder: string, free: typeof freeBytes): Promise<number | undefined> {
  const bytes = await free(folder);
  const parent = dirname(folder);
  return bytes === undefined && parent !== folder ? await freeAt(parent, free) : bytes;
}
