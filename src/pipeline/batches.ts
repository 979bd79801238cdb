/**
 * The batches of one epoch, loaded ahead of the step.
 *
 * @module
 */

import { readAhead } from "../read_ahead.ts";

/** Options of {@linkcode batches}. */
export interface BatchesOptions {
  /** Indices in a batch; the last may have fewer. */
  batchSize: number;
  /**
   * Batches loaded beyond the one that the consumer has.
   *
   * @default {1}
   */
  depth?: number;
}

/**
 * The batches of one epoch, read ahead: while the consumer works on one, the next is loaded.
 *
 * @param order Indices of the images (or captions), in the order of the epoch.
 * @param load Loads the batch of some indices.
 * @param options See {@linkcode BatchesOptions}.
 * @throws {RangeError} If the batch size is not a positive integer.
 */
export function batches<Loaded>(
  order: readonly number[],
  load: (indices: readonly number[]) => Promise<Loaded>,
  options: BatchesOptions,
): AsyncGenerator<Loaded, void, undefined> {
  const { batchSize, depth = 1 } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Cannot make batches: the batch size must be a positive integer, got ${batchSize}`);
  }
  return readAhead(load, slices(order, batchSize), depth);
}

function* slices(order: readonly number[], size: number): Generator<readonly number[]> {
  for (let start = 0; start < order.length; start += size) yield order.slice(start, start + size);
}
