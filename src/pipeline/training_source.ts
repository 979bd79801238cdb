import type { Dataset } from "../data/dataset.ts";
import type { Engine } from "../ffi/engine.ts";
import type { Reporter } from "../reporter.ts";
import type { ImageCache } from "./cache/image_cache.ts";
import type { Recipe } from "./recipe.ts";
import type { DatasetOrigin } from "./run_folder.ts";

/** Images that a run reads its pixels from. */
export type TrainingImages =
  & Pick<ImageCache, "examples" | "broken" | "read" | "side" | "fingerprint">
  & Partial<Pick<ImageCache, "contents" | "preprocessing">>
  & Disposable;

/** What images are opened with. */
export interface OpenImagesOptions {
  readonly engine: Pick<Engine, "resizeCrop">;
  readonly recipe: Recipe;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Captions and images to train on. */
export interface TrainingSource {
  readonly dataset: Dataset;
  /** Where the files are, so that the run can be resumed; null for rendered scenes. */
  readonly origin: DatasetOrigin | null;
  /** Decodes and resizes the images, as far as that has not been done before. */
  openImages(options: OpenImagesOptions): Promise<TrainingImages>;
}
