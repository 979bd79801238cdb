import { dirname } from "node:path";
import { featureSize } from "../ffi/encoders.ts";
import type { TensorInfo } from "../ffi/engine.ts";
import { describeBytes, freeBytes } from "../files/free_space.ts";
import { resizedBytes } from "../pipeline/cache/image_store.ts";
import { needsOnlyFeatures, type Recipe } from "../pipeline/recipe.ts";

/** Bytes on disk. */
export interface SpaceExamination {
  /** All decoded images in the cache, including those already there; 0 without an image cache. */
  readonly images: number;
  /** Cached features of the frozen CNN. */
  readonly features: number;
  /** Free on the disk of the cache; absent if unknown. */
  readonly cacheFree?: number;
  /** Checkpoints of the run, including the copy that exists while one is replaced. */
  readonly checkpoints: number;
  /** Free on the disk of the run; absent if unknown. */
  readonly runFree?: number;
}

/** Options of {@linkcode spaceNeeded}. */
export interface SpaceNeededOptions {
  readonly recipe: Pick<Recipe, "exportPth" | "encoder" | "encoderWidth" | "epochs" | "frozenEpochs">;
  /** Side of a cached image in pixels. */
  readonly side: number;
  /** Number of usable images. */
  readonly images: number;
  readonly tensors: readonly TensorInfo[];
  /** Folder of the image cache. */
  readonly cache: string;
  /**
   * Whether decoded images are cached.
   *
   * @default {true}
   */
  readonly keepImages?: boolean;
  /** Folder of the run. */
  readonly out: string;
  /**
   * Free bytes on a folder's disk.
   *
   * @default {asks the system}
   */
  readonly free?: typeof freeBytes;
}

const FLOAT_BYTES = 4;

/** Computes the bytes that training writes. */
export async function spaceNeeded(options: SpaceNeededOptions): Promise<SpaceExamination> {
  const { recipe, side, images, tensors, cache, keepImages = true, out, free = freeBytes } = options;
  const bytesOf = (kind: TensorInfo["kind"]) =>
    tensors.filter((tensor) => tensor.kind === kind)
      .reduce((sum, { shape }) => sum + FLOAT_BYTES * shape.reduce((product, length) => product * length, 1), 0);
  const [parameters, buffers] = [bytesOf("parameter"), bytesOf("buffer")];
  const best = parameters + buffers;
  // Adam keeps two moments of each parameter.
  const last = 3 * parameters + buffers;
  const notebook = recipe.exportPth ? best : 0;
  const [cacheFree, runFree] = [await freeAt(cache, free), await freeAt(out, free)];
  return {
    images: keepImages && !needsOnlyFeatures(recipe) ? images * resizedBytes(side) : 0,
    features: recipe.frozenEpochs > 0 ? images * featureSize(recipe) * FLOAT_BYTES : 0,
    ...(cacheFree !== undefined && { cacheFree }),
    checkpoints: best + 2 * last + notebook,
    ...(runFree !== undefined && { runFree }),
  };
}

/** A line for everything that does not fit. Decoded images are not an error: training continues without caching them. */
export function spaceErrors(
  { features, cacheFree = Infinity, checkpoints, runFree = Infinity }: SpaceExamination,
): string[] {
  const parts = [
    { what: "features", needed: features, left: cacheFree, option: "--cache" },
    { what: "checkpoints", needed: checkpoints, left: runFree, option: "--out" },
  ];
  return parts.filter(({ needed, left }) => needed > left).map(({ what, needed, left, option }) =>
    `Cannot write ${what}: they need ${describeBytes(needed)} and the disk has ${describeBytes(left)} left; ` +
    `free some space, or name another folder with ${option}`
  );
}

/** Free bytes where a folder is or will be created. */
async function freeAt(folder: string, free: typeof freeBytes): Promise<number | undefined> {
  const bytes = await free(folder);
  const parent = dirname(folder);
  return bytes === undefined && parent !== folder ? await freeAt(parent, free) : bytes;
}
