import type { Features } from "../ffi/batch.ts";
import type { Captioner } from "../captioning/captioner.ts";

/** Options of {@linkcode scorePairs}. */
export interface ScorePairsOptions {
  /** Called after each block of pairs. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Aborts with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Pairs in a batch. */
const PAIRS = 128;

/**
 * Scores every caption with every image. Memory does not grow with the number of pairs: each caption's row is yielded
 * before the next ones are computed.
 *
 * @param captioner A single model.
 * @param captions Token ids of each caption, `<start>` to `<end>`.
 * @returns For each caption log p(caption | image) of every image.
 */
export async function* scorePairs(
  captioner: Pick<Captioner, "score">,
  features: Features,
  captions: readonly Int32Array[],
  options: ScorePairsOptions = {},
): AsyncGenerator<Float32Array<ArrayBuffer>, void, undefined> {
  const { count, values } = features;
  const size = values.length / count;
  const imagesAtOnce = Math.min(count, PAIRS);
  const captionsAtOnce = Math.floor(PAIRS / imagesAtOnce);
  for (let start = 0; start < captions.length; start += captionsAtOnce) {
    const group = captions.slice(start, start + captionsAtOnce);
    const rows = group.map(() => new Float32Array(count));
    for (let first = 0; first < count; first += imagesAtOnce) {
      options.signal?.throwIfAborted();
      const block = values.slice(first * size, (first + imagesAtOnce) * size);
      const images = { count: block.length / size, values: block };
      // Each image with all captions of the group, image by image.
      const scores = await captioner.score(images, Array.from({ length: images.count }, () => group));
      for (const [pair, score] of scores.entries()) {
        const row = rows[pair % group.length];
        if (row !== undefined) row[first + Math.floor(pair / group.length)] = score;
      }
    }
    yield* rows;
    options.onProgress?.((start + group.length) * count, captions.length * count);
  }
}
