import type { CheckpointMetadata } from "../checkpoint/checkpoint.ts";
import type { Splits } from "../data/splits.ts";
import type { ProcessGroup } from "../distributed/process_group.ts";
import type { Engine } from "../ffi/engine.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { ImageCache } from "./cache/image_cache.ts";
import type { FeatureCache } from "./feature_cache.ts";
import type { Recipe } from "./recipe.ts";
import type { EncodedExample } from "./training_data.ts";

/** The calls that training and validation make. */
export type TrainingEngine = Pick<
  Engine,
  | "trainStep"
  | "queueStep"
  | "stepResults"
  | "tryTrainStep"
  | "encode"
  | "evaluateStep"
  | "startDecoding"
  | "resizeCrop"
  | "tensors"
  | "read"
  | "write"
>;

/** A model and its data: what training, validation and their measurements work on. */
export interface TrainingContext {
  readonly engine: TrainingEngine;
  readonly recipe: Recipe;
  /** Decides order, augmentation and sampling. */
  readonly seed: number;
  readonly vocabulary: Vocabulary;
  readonly splits: Pick<Splits<EncodedExample>, "train" | "validation">;
  /** The resized images of the examples. */
  readonly images: Pick<ImageCache, "examples" | "read" | "side">;
  /** Features of all images, if the encoder is frozen in the next epoch; in the order of the images. */
  readonly frozenFeatures?: Pick<FeatureCache, "read" | "size"> | undefined;
  /** The model's dimensions, and how its captions are decoded. */
  readonly metadata: Pick<CheckpointMetadata, "decoding" | "model">;
  /** Whether the encoder started from pretrained weights. */
  readonly pretrained: boolean;
  /** The processes that train together. */
  readonly group: ProcessGroup;
}
