import type { Batch, Features, Images } from "./batch.ts";

const PADDING = 0;
/** Target of positions that the loss does not count. */
const NOT_COUNTED = -1;

/**
 * A batch of the lrcn recipe: each image with all its captions. Of a caption's n tokens (`<start>` to `<end>`) the first
 * n - 1 are inputs and the last n - 1 targets; captions are padded to the longest, and the padding is not counted.
 *
 * @param captions For each image its captions as token ids, each of at least 2 tokens.
 * @returns The batch: rows are the first image's captions, then the second's, and so on.
 * @throws {RangeError} If there is not one list of captions for each image, no caption, or one of fewer than 2 tokens.
 */
export function collateMasked(images: Images | Features, captions: readonly (readonly Int32Array[])[]): Batch {
  if (captions.length !== images.count) {
    throw new RangeError(`Cannot make a batch: ${images.count} images have ${captions.length} lists of captions`);
  }
  const rows = captions.flat();
  const shortest = Math.min(...rows.map((row) => row.length));
  if (rows.length === 0 || shortest < 2) {
    throw new RangeError("Cannot make a batch: it must have captions, each of at least 2 tokens");
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
 * image, tokens 0 to n - 3 are inputs, and tokens 1 to n - 1 are targets: token 1 at the image's own step, token t + 2 at
 * the step of token t.
 *
 * @param captions Token ids of each caption, padded to one length of at least 3.
 * @throws {RangeError} If captions and images differ in number, or the captions in length, or they are too short.
 */
export function collateShifted(images: Images | Features, captions: readonly Int32Array[]): Batch {
  const length = captions[0]?.length ?? 0;
  if (captions.length !== images.count || length < 3 || captions.some((caption) => caption.length !== length)) {
    throw new RangeError(
      `Cannot make a batch: ${images.count} images need as many captions of one length of at least 3 tokens`,
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
