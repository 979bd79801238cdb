import type { Example } from "../data/dataset.ts";
import type { Batch, CroppedImages, Features, Images } from "../ffi/batch.ts";
import { collateMasked, collateShifted } from "../ffi/collate.ts";
import { ImageError } from "../images/image_error.ts";
import { readAhead } from "../read_ahead.ts";
import type { TrainingContext } from "./training_context.ts";
import type { EncodedExample } from "./training_data.ts";

/** A crop of a resized image. */
export interface Crop {
  /** Rows above it. */
  readonly top: number;
  /** Columns on its left. */
  readonly left: number;
  /** Whether it is mirrored. */
  readonly flip: boolean;
}

/** The order and the augmentation of an epoch. Only seed and epoch decide it, so it can be resumed at any step. */
export interface EpochPlan {
  /** Indices of the examples. */
  readonly order: readonly number[];
  /** The crop of each; empty for center crops. */
  readonly crops: readonly Crop[];
}

/** A batch and its examples. */
export type ExampleBatch = Batch & { readonly examples: readonly EncodedExample[] };

/** Options of {@linkcode exampleBatches}. */
export interface ExampleBatchesOptions {
  /**
   * Examples in a batch; the last may have fewer.
   *
   * @default {the recipe's}
   */
  readonly batchSize?: number;
  /**
   * The images' features, to be read instead of pixels.
   *
   * @default {undefined}
   */
  readonly features?: TrainingContext["frozenFeatures"];
  /**
   * Whether a batch without a readable image is an error instead of being skipped.
   *
   * @default {false}
   */
  readonly strict?: boolean;
}

interface Member {
  readonly example: EncodedExample;
  /** Index of its image. */
  readonly image: number;
  readonly crop: Crop | undefined;
}

/**
 * Reads examples in batches; each is read while the one before is worked on. Examples whose images can no longer be read
 * are skipped.
 *
 * @param examples The examples that the plan's indices mean.
 * @throws {ImageError} If no image of the plan can be read, or none of a batch if `strict`.
 */
export async function* exampleBatches(
  { recipe, images }: Pick<TrainingContext, "recipe" | "images">,
  examples: readonly EncodedExample[],
  plan: EpochPlan,
  { batchSize = recipe.batchSize, features, strict = false }: ExampleBatchesOptions = {},
): AsyncGenerator<ExampleBatch, void, undefined> {
  const indexOf = new Map<Example, number>(images.examples.map((example, index) => [example, index]));

  async function load(positions: readonly number[]): Promise<ExampleBatch | ImageError> {
    const members = positions.flatMap((position): Member[] => {
      const example = examples[plan.order[position] ?? -1];
      if (example === undefined) return [];
      return [{ example, image: indexOf.get(example.example) ?? -1, crop: plan.crops[position] }];
    });
    if (features !== undefined) {
      return collate(members, readFeatures(features, members));
    }
    // Crops are cut out by the engine, from the whole resized image.
    const side = plan.crops.length === 0 ? recipe.imageSize : images.side;
    const read = await Promise.all(members.map((member) => readImage(images, member, side)));
    const kept = read.flatMap((one) => one instanceof ImageError ? [] : [one]);
    const [first] = read;
    if (kept.length === 0 && first instanceof ImageError) return first;
    const pixels = concatenate(kept.map(({ pixels }) => pixels), side);
    const left = kept.map(({ member }) => member);
    const crops = left.flatMap(({ crop }) => crop ?? []);
    return collate(left, crops.length === 0 ? pixels : withCrops(pixels, crops, recipe.imageSize));
  }

  function collate(members: readonly Member[], inputs: Batch["images"]): ExampleBatch {
    const used = members.map(({ example }) => example);
    const captions = used.map((example) => example.captions);
    const batch = recipe.collation === "masked"
      ? collateMasked(inputs, captions)
      : collateShifted(inputs, captions.flat());
    return { ...batch, examples: used };
  }

  let [some, lost]: [boolean, ImageError | undefined] = [false, undefined];
  for await (const batch of readAhead(load, slices(plan.order.length, batchSize))) {
    if (batch instanceof ImageError) {
      if (strict) throw batch;
      lost = batch;
    } else {
      some = true;
      yield batch;
    }
  }
  if (!some && lost !== undefined) throw lost;
}

/** The plan of all examples in their order, each image seen from its center. */
export function inOrder(examples: readonly EncodedExample[]): EpochPlan {
  return { order: [...examples.keys()], crops: [] };
}

function* slices(length: number, size: number): Generator<number[]> {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`Cannot make batches: the batch size must be a positive integer, got ${size}`);
  }
  for (let start = 0; start < length; start += size) {
    yield Array.from({ length: Math.min(size, length - start) }, (_, index) => start + index);
  }
}

async function readImage(
  images: TrainingContext["images"],
  member: Member,
  side: number,
): Promise<{ readonly member: Member; readonly pixels: Uint8Array } | ImageError> {
  const pixels = new Uint8Array(side * side * 3);
  try {
    await images.read(member.image, side, pixels);
    return { member, pixels };
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}

function concatenate(parts: readonly Uint8Array[], side: number): Images {
  const pixels = new Uint8Array(parts.length * side * side * 3);
  for (const [index, part] of parts.entries()) pixels.set(part, index * part.length);
  return { count: parts.length, height: side, width: side, pixels };
}

function withCrops(images: Images, crops: readonly Crop[], side: number): CroppedImages {
  const values = Int32Array.from(crops.flatMap(({ top, left, flip }) => [top, left, Number(flip)]));
  return { ...images, crop: side, crops: values };
}

function readFeatures(
  features: NonNullable<TrainingContext["frozenFeatures"]>,
  members: readonly Member[],
): Features {
  const values = new Float32Array(members.length * features.size);
  for (const [index, { image, crop }] of members.entries()) {
    features.read(image, values.subarray(index * features.size, (index + 1) * features.size), crop?.flip);
  }
  return { count: members.length, values };
}
