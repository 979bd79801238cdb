import type { Captioner } from "../captioning/captioner.ts";
import { encodeImages } from "./encode_images.ts";
import { scorePairs } from "./score_pairs.ts";
import type { Features } from "../ffi/batch.ts";
import { selectFeatures } from "../ffi/feature_rows.ts";
import { UNKNOWN } from "../text/vocabulary.ts";
import { InputError } from "../input_error.ts";

/** An image of a folder. */
export interface SearchedImage {
  /** The name shown to the user. */
  readonly name: string;
  /** The path of the file. */
  readonly path: string;
}

/** A search result. */
export interface FoundImage {
  /** Index of the image. */
  readonly id: number;
  /** The name shown to the user. */
  readonly name: string;
  /** A generated caption. */
  readonly caption: string;
  /** Natural logarithm of the query's probability given the image. */
  readonly logProbability: number;
  /** The geometric mean of the probabilities of the query's tokens and its end. */
  readonly probability: number;
}

/** The part of a captioner that searching uses. */
export type SearchingModel = Pick<
  Captioner,
  "decodeOptions" | "prepare" | "encode" | "score" | "tokenize" | "encodeCaption" | "caption" | "metadata"
>;

/** Options of {@linkcode ImageSearch}. */
export interface ImageSearchOptions {
  /**
   * Largest number of pixels of an image.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /** Stops indexing. */
  readonly signal: AbortSignal;
}

interface Index {
  readonly images: readonly SearchedImage[];
  readonly features: Features;
}

/** A folder of images that is indexed in the background and can then be searched by sentences. */
export class ImageSearch {
  /** Number of images in the folder. */
  readonly total: number;
  /** Resolves once all images are indexed, to the reasons why some could not be, one line each. */
  readonly ready: Promise<readonly string[]>;
  readonly #model: SearchingModel;
  readonly #captions = new Map<number, string>();
  #done = 0;
  #index: Index | undefined;
  #failure: string | undefined;

  /** Starts indexing. */
  constructor(model: SearchingModel, images: readonly SearchedImage[], options: ImageSearchOptions) {
    this.#model = model;
    this.total = images.length;
    this.ready = this.#buildIndex(images, options);
    this.ready.catch((error) => this.#failure = error instanceof Error ? error.message : String(error));
  }

  /** Number of images indexed so far. */
  get done(): number {
    return this.#done;
  }

  /**
   * Ranks the images by the probability of a sentence.
   *
   * @param top Number of results.
   * @param signal Stops the search between its steps.
   * @returns The most probable images, best first, and the words that the vocabulary does not have. If it has none of the
   * words, no image is more probable than another, and none is returned.
   * @throws {InputError} If the folder cannot be searched, see {@linkcode notReady}.
   */
  async search(
    query: string,
    top: number,
    signal: AbortSignal,
  ): Promise<{ found: FoundImage[]; unknownWords: string[] }> {
    if (this.#index === undefined) throw new InputError(`Cannot search: ${this.notReady?.reason}`);
    const { images, features } = this.#index;
    const sentence = this.#model.encodeCaption(query);
    const { known, unknown: unknownWords } = queryWords(this.#model, query);
    if (known.length === 0) return { found: [], unknownWords };
    const [row = []] = await Array.fromAsync(scorePairs(this.#model, features, [sentence], { signal }));
    const ranked = images.map((image, id) => ({ ...image, id, logProbability: row[id] ?? NaN }))
      .sort((a, b) => b.logProbability - a.logProbability).slice(0, top);
    signal.throwIfAborted();
    await this.#caption(ranked.map(({ id }) => id), features);
    return {
      found: ranked.map(({ id, name, logProbability }) => ({
        id,
        name,
        logProbability,
        probability: Math.exp(logProbability / (sentence.length - 1)),
        caption: this.#captions.get(id) ?? "",
      })),
      unknownWords,
    };
  }

  /** The path of an image; undefined if there is none with this index. */
  pathOf(id: number): string | undefined {
    return this.#index?.images[id]?.path;
  }

  /** Why the folder cannot be searched (yet), and when to retry, in seconds. */
  get notReady(): { readonly reason: string; readonly retryAfter?: number } | undefined {
    if (this.#index !== undefined) return undefined;
    if (this.#failure !== undefined) return { reason: this.#failure };
    return { reason: `${this.#done} of ${this.total} images are indexed; try again later`, retryAfter: 2 };
  }

  async #buildIndex(images: readonly SearchedImage[], options: ImageSearchOptions) {
    const onProgress = (done: number) => this.#done = done;
    const { problems, ...index } = await encodeImages(this.#model, images, { ...options, onProgress });
    this.#index = index;
    return problems;
  }

  async #caption(ids: readonly number[], features: Features): Promise<void> {
    const missing = ids.filter((id) => !this.#captions.has(id));
    if (missing.length === 0) return;
    const captions = await this.#model.caption(selectFeatures(features, missing));
    for (const [index, id] of missing.entries()) this.#captions.set(id, captions[index]?.text ?? "");
  }
}

/** The words of a query that a model knows, and those that it does not know, each once. */
export function queryWords(
  model: Pick<Captioner, "encodeCaption" | "tokenize" | "metadata">,
  query: string,
): { known: string[]; unknown: string[] } {
  const sentence = model.encodeCaption(query);
  const unknown = model.metadata.vocabulary.indexOf(UNKNOWN);
  const words = model.tokenize(query).map((word, index) => ({ word, isKnown: sentence[index + 1] !== unknown }))
    .filter(({ word }) => /[\p{L}\p{N}]/u.test(word));
  const only = (
    isKnown: boolean,
  ) => [...new Set(words.filter((one) => one.isKnown === isKnown).map(({ word }) => word))];
  return { known: only(true), unknown: only(false) };
}
