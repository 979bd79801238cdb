/**
 * Images and encoded captions in the shape that a training step takes.
 *
 * @module
 */

import type { Batch, Features, Images } from "./batch.ts";

/** Stands for padding among the words given. */
const PADDING = 0;
/** Stands for words that the loss does not count. */
const NOT_COUNTED = -1;

/**
 * A batch of the lrcn recipe: each image with all its captions. Of a caption's n words (`<start>` to `<end>`) the first
 * n - 1 are given and the last n - 1 are to be predicted; shorter captions are filled up to the longest, and what is
 * filled up is not counted.
 *
 * @param images The images, or their features.
 * @param captions For each image its captions as word ids, of at least 2 words each.
 * @returns The batch: rows are the first image's captions, then the second's, and so on.
 * @throws {RangeError} If there is not a list of captions for each image, no caption at all, or one of fewer than 2 words.
 */
export function collateLrcn(images: Images | Features, captions: readonly (readonly Int32Array[])[]): Batch {
  if (captions.length !== images.count) {
    throw new RangeError(`Cannot make a batch: ${images.count} images have ${captions.length} lists of captions`);
  }
  const rows = captions.flat();
  const shortest = Math.min(...rows.map((row) => row.length));
  if (rows.length === 0 || shortest < 2) {
    throw new RangeError("Cannot make a batch: it must have captions, each of at least 2 words");
  }
  const length = Math.max(...rows.map((row) => row.length)) - 1;
  const inputs = new Int32Array(rows.length * length).fill(PADDING);
  const targets = new Int32Array(rows.length * length).fill(NOT_COUNTED);
  for (const [index, row] of rows.entries()) {
    inputs.set(row.subarray(0, -1), index * length);
    targets.set(row.subarray(1), index * length);
  }
  const imageOfRow = Int32Array.from(captions.flatMap((list, image) => list.map(() => image)));
  return { images, imageOfRow, inputs, inputsLength: length, targets, targetsLength: length };
}

/**
 * A batch of the notebook recipe: one caption an image, all of one length n, padding included and counted. After the
 * image the words 0 to n - 3 are given, and the words 1 to n - 1 are to be predicted: at the image's own step word 1, at
 * the step of word t the word t + 2.
 *
 * @param images The images, or their features, one for each caption.
 * @param captions Word ids of each caption, padded to one length of at least 3.
 * @returns The batch.
 * @throws {RangeError} If captions and images differ in number, or the captions in length, or they are too short.
 */
export function collateNotebook(images: Images | Features, captions: readonly Int32Array[]): Batch {
  const length = captions[0]?.length ?? 0;
  if (captions.length !== images.count || length < 3 || captions.some((caption) => caption.length !== length)) {
    throw new RangeError(
      `Cannot make a batch: ${images.count} images need as many captions of one length of at least 3 words`,
    );
  }
  const inputsLength = length - 2;
  const targetsLength = length - 1;
  const inputs = new Int32Array(captions.length * inputsLength);
  const targets = new Int32Array(captions.length * targetsLength);
  for (const [row, caption] of captions.entries()) {
    inputs.set(caption.subarray(0, inputsLength), row * inputsLength);
    targets.set(caption.subarray(1), row * targetsLength);
  }
  const imageOfRow = Int32Array.from(captions.keys());
  return { images, imageOfRow, inputs, inputsLength, targets, targetsLength };
}
