import type { Caption } from "../captioning/caption.ts";
import type { Captioner, PreparedImage } from "../captioning/captioner.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import { BATCH_SIZE } from "../captioning/prepared_batches.ts";

interface Entry {
  readonly image: PreparedImage;
  readonly decoding: DecodingOptions;
  /** Entries of the same kind can be captioned in one batch. */
  readonly kind: string;
  readonly resolve: (caption: Caption) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Batches requests: images that arrive while the model is busy are captioned next, up to 16 with the same options in a
 * batch. A single request does not wait for others.
 */
export class CaptionQueue {
  readonly #captioner: Pick<Captioner, "caption">;
  readonly #waiting: Entry[] = [];
  #running = false;
  #batches = 0;

  /** Creates an empty queue. */
  constructor(captioner: Pick<Captioner, "caption">) {
    this.#captioner = captioner;
  }

  /** Batches captioned so far. */
  get batches(): number {
    return this.#batches;
  }

  /**
   * Captions an image, in a batch with others that wait.
   *
   * @param image The result of {@linkcode Captioner.prepare}.
   * @param signal Removes the image from the queue if it still waits.
   * @throws {InputError} If no caption can satisfy the options.
   */
  caption(image: PreparedImage, decoding: DecodingOptions, signal: AbortSignal): Promise<Caption> {
    const { promise, resolve, reject } = Promise.withResolvers<Caption>();
    const entry = { image, decoding, kind: JSON.stringify(decoding), resolve, reject };
    this.#waiting.push(entry);
    const leave = () => {
      const index = this.#waiting.indexOf(entry);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
    // In a task of its own, so that requests of the same moment share a batch.
    if (!this.#running) {
      this.#running = true;
      setTimeout(() => this.#run());
    }
    return promise.finally(() => signal.removeEventListener("abort", leave));
  }

  async #run(): Promise<void> {
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) await this.#write(batch);
    this.#running = false;
  }

  #next(): Entry[] {
    const batch: Entry[] = [];
    const left: Entry[] = [];
    for (const entry of this.#waiting.splice(0)) {
      if (batch.length < BATCH_SIZE && entry.kind === (batch[0] ?? entry).kind) batch.push(entry);
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
