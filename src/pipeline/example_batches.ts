/**
 * From chosen examples to the batches of a step: pixels or features are read while the step before is computed.
 *
 * @module
 */

import type { Batch, CroppedImages, Features, Images } from "../ffi/batch.ts";
import { batches, collateLrcn, collateNotebook } from "./batches.ts";
import type { Photograph } from "./dataset.ts";
import type { Crop, EpochPlan } from "./epoch_plan.ts";
import type { FeatureCache } from "./feature_cache.ts";
import type { ImageCache } from "./image_cache.ts";
import type { Recipe } from "./recipe.ts";
import type { Example } from "./training_data.ts";

/** Where batches come from. */
export interface BatchSource {
  /** The settings. */
  readonly recipe: Pick<Recipe, "name" | "batchSize" | "imageSize">;
  /** The photographs' pixels. */
  readonly images: Pick<ImageCache, "photographs" | "read" | "square">;
  /** Their features, where the CNN need not be run; in the order of the photographs. */
  readonly features?: Pick<FeatureCache, "read" | "size"> | undefined;
}

/**
 * Reads examples in batches.
 *
 * @param source Where pixels or features come from.
 * @param examples The examples.
 * @param plan Which of them, in which order, and what is seen of each.
 * @returns The batches; each is read while the one before is worked on.
 */
export function exampleBatches(
  source: BatchSource,
  examples: readonly Example[],
  plan: EpochPlan,
): AsyncGenerator<Batch, void, undefined> {
  const { recipe, images } = source;
  const places = new Map<Photograph, number>(images.photographs.map((photograph, place) => [photograph, place]));

  async function load(positions: readonly number[]): Promise<Batch> {
    const members = positions.flatMap((position) => examples[plan.order[position] ?? -1] ?? []);
    const chosen = members.map(({ photograph }) => places.get(photograph) ?? -1);
    const crops = positions.flatMap((position) => plan.crops[position] ?? []);
    const seen = await read(chosen, crops);
    const captions = members.map((example) => example.captions);
    return recipe.name === "notebook" ? collateNotebook(seen, captions.flat()) : collateLrcn(seen, captions);
  }

  async function read(chosen: readonly number[], crops: readonly Crop[]): Promise<Batch["images"]> {
    if (source.features !== undefined) return await readFeatures(source.features, chosen);
    if (crops.length === 0) return await readCentres(images, chosen, recipe.imageSize);
    return cropped(await readCentres(images, chosen, images.square), crops, recipe.imageSize);
  }

  return batches([...plan.order.keys()], load, { batchSize: recipe.batchSize });
}

/** The examples one after the other, each with its centre. */
export function inOrder(examples: readonly Example[]): EpochPlan {
  return { order: [...examples.keys()], crops: [] };
}

async function readCentres(
  images: BatchSource["images"],
  chosen: readonly number[],
  side: number,
): Promise<Images> {
  const bytes = side * side * 3;
  const pixels = new Uint8Array(chosen.length * bytes);
  await Promise.all(chosen.map((place, index) => {
    const into = pixels.subarray(index * bytes, (index + 1) * bytes);
    return images.read(place, side, into);
  }));
  return { count: chosen.length, height: side, width: side, pixels };
}

function cropped(squares: Images, crops: readonly Crop[], side: number): CroppedImages {
  const values = Int32Array.from(crops.flatMap(({ top, left, flip }) => [top, left, Number(flip)]));
  return { ...squares, crop: side, crops: values };
}

async function readFeatures(
  features: Pick<FeatureCache, "read" | "size">,
  chosen: readonly number[],
): Promise<Features> {
  const values = new Float32Array(chosen.length * features.size);
  await Promise.all(
    chosen.map((place, index) =>
      features.read(place, values.subarray(index * features.size, (index + 1) * features.size))
    ),
  );
  return { count: chosen.length, values };
}
