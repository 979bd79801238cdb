/**
 * From chosen examples to the batches of a step: pixels or features are read while the step before is computed.
 *
 * @module
 */

import type { Batch, CroppedImages, Features, Images } from "../ffi/batch.ts";
import { batches } from "./batches.ts";
import { collateLrcn, collateNotebook } from "../ffi/collate.ts";
import type { Example } from "../data/dataset.ts";
import type { Crop, EpochPlan } from "./epoch_plan.ts";
import type { FeatureCache } from "./feature_cache.ts";
import type { ImageCache } from "./cache/image_cache.ts";
import { ImageError } from "../images/image_error.ts";
import type { Recipe } from "./recipe.ts";
import type { EncodedExample } from "./training_data.ts";

/** Where batches come from. */
export interface BatchSource {
  /** The settings. */
  readonly recipe: Pick<Recipe, "name" | "batchSize" | "imageSize">;
  /** The images' pixels. */
  readonly images: Pick<ImageCache, "examples" | "read" | "side">;
  /** Their features, where the CNN need not be run; in the order of the images. */
  readonly features?: Pick<FeatureCache, "read" | "size"> | undefined;
  /**
   * Whether every batch must be there, since other processes wait for its step.
   *
   * @default {false}
   */
  readonly strict?: boolean | undefined;
}

/** A batch with the examples that it is made of. */
export type ExampleBatch = Batch & { readonly examples: readonly EncodedExample[] };

interface Member {
  readonly example: EncodedExample;
  readonly place: number;
  readonly crop: Crop | undefined;
}

/**
 * Reads examples in batches. Those whose images can be read no longer are left out, and so is a batch of such ones alone.
 *
 * @param source Where pixels or features come from.
 * @param examples The examples.
 * @param plan Which of them, in which order, and what is seen of each.
 * @returns The batches; each is read while the one before is worked on.
 * @throws {ImageError} If no image of the plan can be read, or none of a batch that must be there.
 */
export async function* exampleBatches(
  source: BatchSource,
  examples: readonly EncodedExample[],
  plan: EpochPlan,
): AsyncGenerator<ExampleBatch, void, undefined> {
  const { recipe, images, features } = source;
  const places = new Map<Example, number>(images.examples.map((example, place) => [example, place]));

  async function load(positions: readonly number[]): Promise<ExampleBatch | ImageError> {
    const members = positions.flatMap((position): Member[] => {
      const example = examples[plan.order[position] ?? -1];
      if (example === undefined) return [];
      return [{ example, place: places.get(example.example) ?? -1, crop: plan.crops[position] }];
    });
    if (features !== undefined) {
      return collate(members, await readFeatures(features, members.map(({ place }) => place)));
    }
    const crops = members.flatMap(({ crop }) => crop ?? []);
    const side = crops.length === 0 ? recipe.imageSize : images.side;
    const read = await Promise.all(members.map((member) => readCenterCrop(images, member, side)));
    const kept = read.flatMap((one) => one instanceof ImageError ? [] : [one]);
    const [first] = read;
    if (kept.length === 0 && first instanceof ImageError) return first;
    const centers = joined(kept.map(({ pixels }) => pixels), side);
    const left = kept.map(({ member }) => member);
    const leftCrops = left.flatMap(({ crop }) => crop ?? []);
    return collate(left, leftCrops.length === 0 ? centers : cropped(centers, leftCrops, recipe.imageSize));
  }

  function collate(members: readonly Member[], seen: Batch["images"]): ExampleBatch {
    const used = members.map(({ example }) => example);
    const captions = used.map((example) => example.captions);
    const batch = recipe.name === "notebook" ? collateNotebook(seen, captions.flat()) : collateLrcn(seen, captions);
    return { ...batch, examples: used };
  }

  let [some, lost]: [boolean, ImageError | undefined] = [false, undefined];
  for await (const batch of batches([...plan.order.keys()], load, { batchSize: recipe.batchSize })) {
    if (batch instanceof ImageError) {
      if (source.strict) throw batch;
      lost = batch;
    } else {
      some = true;
      yield batch;
    }
  }
  if (!some && lost !== undefined) throw lost;
}

/** The examples one after the other, each with its center. */
export function inOrder(examples: readonly EncodedExample[]): EpochPlan {
  return { order: [...examples.keys()], crops: [] };
}

async function readCenterCrop(
  images: BatchSource["images"],
  member: Member,
  side: number,
): Promise<{ readonly member: Member; readonly pixels: Uint8Array } | ImageError> {
  const pixels = new Uint8Array(side * side * 3);
  try {
    await images.read(member.place, side, pixels);
    return { member, pixels };
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}

function joined(centers: readonly Uint8Array[], side: number): Images {
  const pixels = new Uint8Array(centers.length * side * side * 3);
  for (const [index, center] of centers.entries()) pixels.set(center, index * center.length);
  return { count: centers.length, height: side, width: side, pixels };
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
