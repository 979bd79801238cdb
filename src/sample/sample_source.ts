import { centerCrop, resizeImage } from "../images/preprocessing.ts";
import type { Example } from "../data/dataset.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { Random } from "../random.ts";
import { sideBeforeCrop } from "../pipeline/recipe.ts";
import { renderScene, type Scene } from "./scenes.ts";
import type { TrainingSource } from "../pipeline/training_source.ts";

/** Scenes in each split. */
const COUNTS = { train: 5600, validation: 160, test: 160 };
/** Side of a scene in pixels. */
const SIDE = 96;

/** A dataset of rendered scenes in memory. */
export interface SampleSource extends TrainingSource {
  /** The scenes of the test set. */
  readonly heldOut: readonly Scene[];
}

/** Renders the dataset of the sample recipe; the seed determines every scene. */
export async function renderSample(
  seed: number,
  onProgress: (done: number, total: number) => void = () => {},
  signal?: AbortSignal,
): Promise<SampleSource> {
  const total = COUNTS.train + COUNTS.validation + COUNTS.test;
  const random = new Random(seed);
  const images = new Map<Example, RgbImage>();
  const scenes: Scene[] = [];
  for (let index = 0; index < total; index++) {
    const scene = renderScene(SIDE, random);
    scenes.push(scene);
    const name = `scene-${String(index).padStart(4, "0")}.png`;
    images.set({ name, path: name, captions: scene.captions }, scene.image);
    onProgress(index + 1, total);
    // Rendering is one long computation: let the event loop see Ctrl-C.
    if (index % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
  }
  const examples = [...images.keys()];
  const names = examples.map(({ name }) => name);
  const end = COUNTS.train + COUNTS.validation;
  return {
    origin: null,
    heldOut: scenes.slice(end),
    dataset: {
      examples,
      rows: examples.flatMap((example) => example.captions.map((caption) => ({ example, caption }))),
      missing: [],
      officialSplits: {
        train: names.slice(0, COUNTS.train),
        validation: names.slice(COUNTS.train, end),
        test: names.slice(end),
      },
      fingerprint: `sample-${seed}`,
    },
    async openImages({ engine, recipe, signal }) {
      const side = sideBeforeCrop(recipe);
      const resized: Uint8Array[] = [];
      for (const image of images.values()) {
        signal.throwIfAborted();
        resized.push((await resizeImage(engine, image, { shortSide: side, resize: recipe.resize })).pixels);
      }
      return {
        examples,
        broken: [],
        side,
        fingerprint: `sample-${seed}-${recipe.imageSize}-${recipe.resize}`,
        // deno-lint-ignore require-await
        async read(index, _crop, into) {
          const pixels = resized[index];
          if (pixels === undefined) throw new RangeError(`Cannot read scene ${index}: there is none`);
          centerCrop(pixels, into);
        },
        [Symbol.dispose]() {},
      };
    },
  };
}
