/**
 * Captions for requests that come one by one, written together.
 *
 * @module
 */

import type { Caption } from "../captioning/caption.ts";
import type { Captioner } from "../captioning/captioner.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { RgbImage } from "../images/rgb_image.ts";

/** Images captioned together, at most. */
const BATCH = 16;

interface Entry {
  readonly image: RgbImage;
  readonly decoding: DecodingOptions;
  /** Equal of entries that can be captioned together. */
  readonly kind: string;
  readonly signal: AbortSignal;
  readonly resolve: (caption: Caption) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * While the model writes captions, other images gather; those that are to be captioned in the same way are captioned next,
 * 16 at a time. So one that comes alone waits for nothing, and many cost less each.
 */
export class CaptionQueue {
  readonly #captioner: Pick<Captioner, "caption">;
  readonly #waiting: Entry[] = [];
  #running = false;
  #batches = 0;

  /**
   * Begins empty.
   *
   * @param captioner The model.
   */
  constructor(captioner: Pick<Captioner, "caption">) {
    this.#captioner = captioner;
  }

  /** Batches captioned so far. */
  get batches(): number {
    return this.#batches;
  }

  /**
   * Captions an image, beside others that wait.
   *
   * @param image What {@linkcode Captioner.prepare} gave.
   * @param decoding How its caption is written.
   * @param signal Takes it out of the queue as long as it waits there.
   * @returns Its caption.
   * @throws {InputError} If captions cannot be written so.
   */
  caption(image: RgbImage, decoding: DecodingOptions, signal: AbortSignal): Promise<Caption> {
    const { promise, resolve, reject } = Promise.withResolvers<Caption>();
    this.#waiting.push({ image, decoding, kind: JSON.stringify(decoding), signal, resolve, reject });
    // In a task of its own: what comes at the same moment goes into the same batch.
    if (!this.#running) {
      this.#running = true;
      setTimeout(() => this.#run());
    }
    return promise;
  }

  async #run(): Promise<void> {
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) await this.#write(batch);
    this.#running = false;
  }

  #next(): Entry[] {
    const batch: Entry[] = [];
    const left: Entry[] = [];
    for (const entry of this.#waiting.splice(0)) {
      if (entry.signal.aborted) entry.reject(entry.signal.reason);
      else if (batch.length < BATCH && entry.kind === (batch[0] ?? entry).kind) batch.push(entry);
      else left.push(entry);
    }
    this.#waiting.push(...left);
    return batch;
  }

  async #write(batch: readonly Entry[]): Promise<void> {
    this.#batches++;
    try {
      const images = batch.map(({ image }) => image);
      const captions = await this.#captioner.caption(images, batch[0]?.decoding);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const caption = captions[index];
        if (caption === undefined) {
          reject(new Error(`${captions.length} captions were written for ${batch.length} images`));
        } else resolve(caption);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
