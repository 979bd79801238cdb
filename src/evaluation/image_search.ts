/**
 * A folder of images that can be searched by sentences.
 *
 * @module
 */

import type { Captioner } from "../captioning/captioner.ts";
import { encodeImages } from "./encode_images.ts";
import { scorePairs } from "./score_pairs.ts";
import type { Features } from "../ffi/batch.ts";
import { selectFeatures } from "../ffi/feature_rows.ts";
import { UNKNOWN } from "../text/vocabulary.ts";
import { InputError } from "../input_error.ts";

/** A image of a folder. */
export interface SearchedImage {
  /** What a person knows it by. */
  readonly name: string;
  /** Where it lies. */
  readonly path: string;
}

/** A image that was found. */
export interface FoundImage {
  /** Its place in the folder. */
  readonly id: number;
  /** What a person knows it by. */
  readonly name: string;
  /** What the model says of it. */
  readonly caption: string;
  /** Natural logarithm of the probability that the sentence has for it. */
  readonly logProbability: number;
}

/** What searching needs of a model. */
export type SearchingModel = Pick<
  Captioner,
  "applyExif" | "prepare" | "encode" | "score" | "encodeCaption" | "caption" | "metadata"
>;

/** Options of {@linkcode ImageSearch}. */
export interface ImageSearchOptions {
  /**
   * The most pixels that an image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /** Ends the looking at images. */
  readonly signal: AbortSignal;
}

interface Index {
  readonly images: readonly SearchedImage[];
  readonly features: Features;
}

/** Looks at each image once, while the program goes on, and then answers sentences. */
export class ImageSearch {
  /** Images of the folder. */
  readonly total: number;
  /** Ends when all have been looked at: with why some could not be, in a line each. */
  readonly ready: Promise<readonly string[]>;
  readonly #model: SearchingModel;
  readonly #captions = new Map<number, string>();
  #done = 0;
  #index: Index | undefined;
  #failure: string | undefined;

  /**
   * Begins to look.
   *
   * @param model The model.
   * @param images The folder's images.
   * @param options See {@linkcode ImageSearchOptions}.
   */
  constructor(model: SearchingModel, images: readonly SearchedImage[], options: ImageSearchOptions) {
    this.#model = model;
    this.total = images.length;
    this.ready = this.#look(images, options);
    this.ready.catch((error) => this.#failure = error instanceof Error ? error.message : String(error));
  }

  /** Images looked at so far. */
  get done(): number {
    return this.#done;
  }

  /**
   * ProcessGroup the images.
   *
   * @param query A sentence.
   * @param top How many are wanted.
   * @param signal Ends the search between its steps.
   * @returns The most probable first, and whether the model knows all words of the sentence.
   * @throws {InputError} As {@linkcode notReady} says.
   */
  async search(
    query: string,
    top: number,
    signal: AbortSignal,
  ): Promise<{ found: FoundImage[]; allWordsKnown: boolean }> {
    if (this.#index === undefined) throw new InputError(`Cannot search: ${this.notReady?.reason}`);
    const { images, features } = this.#index;
    const sentence = this.#model.encodeCaption(query);
    const [row = []] = await Array.fromAsync(scorePairs(this.#model, features, [sentence]));
    const ranked = images.map((image, id) => ({ ...image, id, logProbability: row[id] ?? NaN }))
      .sort((a, b) => b.logProbability - a.logProbability).slice(0, top);
    signal.throwIfAborted();
    await this.#caption(ranked.map(({ id }) => id), features);
    return {
      found: ranked.map(({ id, name, logProbability }) => ({
        ...{ id, name, logProbability },
        caption: this.#captions.get(id) ?? "",
      })),
      allWordsKnown: !sentence.includes(this.#model.metadata.vocabulary.indexOf(UNKNOWN)),
    };
  }

  /**
   * The path of an image.
   *
   * @param id Its index, as a search gave it.
   * @returns The path, or undefined if there is no such image.
   */
  pathOf(id: number): string | undefined {
    return this.#index?.images[id]?.path;
  }

  /** Why the folder cannot be searched (yet), and when to try again. */
  get notReady(): { readonly reason: string; readonly retryAfter?: number } | undefined {
    if (this.#index !== undefined) return undefined;
    if (this.#failure !== undefined) return { reason: this.#failure };
    return { reason: `${this.#done} of ${this.total} images are indexed; try again later`, retryAfter: 2 };
  }

  async #look(images: readonly SearchedImage[], options: ImageSearchOptions) {
    const onProgress = (done: number) => this.#done = done;
    const { problems, ...index } = await encodeImages(this.#model, images, { ...options, onProgress });
    this.#index = index;
    return problems;
  }

  /** Captions those that have none yet. */
  async #caption(ids: readonly number[], features: Features): Promise<void> {
    const missing = ids.filter((id) => !this.#captions.has(id));
    if (missing.length === 0) return;
    const captions = await this.#model.caption(selectFeatures(features, missing));
    for (const [place, id] of missing.entries()) this.#captions.set(id, captions[place]?.caption ?? "");
  }
}
