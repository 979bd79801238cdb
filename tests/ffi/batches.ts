import type { Batch, Images } from "../../src/ffi/batch.ts";

/** A batch of pixels. */
export type PixelBatch = Batch & { readonly images: Images };

/** Number of counted tokens of a batch. */
export function wordsOf({ targets }: Batch): number {
  return targets.filter((token) => token >= 0).length;
}

/** Splits a batch, whose rows are in the order of its images, into equally many images each. */
export function microBatches(batch: PixelBatch, parts: number): PixelBatch[] {
  const { images, imageOfRow, inputsLength, targetsLength } = batch;
  const count = images.count / parts;
  const bytes = images.pixels.length / parts;
  return Array.from({ length: parts }, (_, part) => {
    const rows = [...imageOfRow.keys()].filter((row) => Math.floor((imageOfRow[row] ?? -1) / count) === part);
    const [first = 0] = rows;
    const last = first + rows.length;
    return {
      ...batch,
      images: { ...images, count, pixels: images.pixels.slice(part * bytes, (part + 1) * bytes) },
      imageOfRow: imageOfRow.slice(first, last).map((image) => image - part * count),
      inputs: batch.inputs.slice(first * inputsLength, last * inputsLength),
      targets: batch.targets.slice(first * targetsLength, last * targetsLength),
    };
  });
}
