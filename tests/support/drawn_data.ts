// Images of one color each, with captions that name it, in memory.

import type { Dataset, Example } from "../../src/data/dataset.ts";
import type { Recipe } from "../../src/pipeline/recipe.ts";
import type { TrainingImages, TrainingSource } from "../../src/pipeline/training_source.ts";

const COLORS: readonly (readonly [string, readonly [number, number, number]])[] = [
  ["red", [220, 30, 30]],
  ["green", [30, 180, 60]],
  ["blue", [30, 60, 220]],
  ["white", [250, 250, 250]],
  ["black", [5, 5, 5]],
  ["yellow", [240, 220, 30]],
  ["gray", [128, 128, 128]],
  ["pink", [250, 150, 190]],
];

/** Settings of a model that trains in a moment on these images. */
export const TINY_RECIPE: Partial<Recipe> = {
  encoderWidth: 8,
  encoderBlocks: [1, 1, 1, 1],
  hiddenSize: 16,
  embedSize: 12,
  imageSize: 32,
  minCount: 1,
  maxLength: 6,
};

/** Images with a caption of four words and one of five. */
export function renderedExamples(count: number): Example[] {
  return Array.from({ length: count }, (_, index) => {
    const [color] = COLORS[index % COLORS.length] ?? ["gray"];
    const name = `${index}.png`;
    return { name, path: `/drawn/${name}`, captions: [`A ${color} card .`, `There is a ${color} card`] };
  });
}

const SIDE = 37;

/** The images' pixels, brighter to the right and below so that parts differ; `read` may be listened to. */
export function drawnImages(
  examples: readonly Example[],
  onRead: (index: number) => void = () => {},
): TrainingImages {
  return {
    examples,
    broken: [],
    side: SIDE,
    fingerprint: `drawn-${examples.length}`,
    read(index, side, into) {
      onRead(index);
      const [, color] = COLORS[Number.parseInt(examples[index]?.name ?? "") % COLORS.length] ?? ["", []];
      for (const byte of into.keys()) {
        const [row, column] = [Math.floor(byte / (3 * side)), Math.floor(byte / 3) % side];
        const brighter = row + column - side;
        into[byte] = Math.min(255, Math.max(0, (color[byte % 3] ?? 0) + brighter));
      }
      return Promise.resolve();
    },
    [Symbol.dispose]() {},
  };
}

/** A dataset of such images. */
export function drawnDataset(count: number): Dataset {
  const examples = renderedExamples(count);
  return {
    examples,
    rows: examples.flatMap((example) => example.captions.map((caption) => ({ example, caption }))),
    missing: [],
    fingerprint: "drawn",
  };
}

/** A source of such images. */
export function drawnSource(count: number): TrainingSource {
  const dataset = drawnDataset(count);
  return { dataset, origin: null, openImages: () => Promise.resolve(drawnImages(dataset.examples)) };
}
