/**
 * A trained model that writes captions.
 *
 * @module
 */

import { type CheckpointMetadata, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { loadModel } from "../checkpoint/model_state.ts";
import type { Images } from "../ffi/batch.ts";
import { Engine } from "../ffi/engine.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { InputError } from "../input_error.ts";
import type { RgbImage } from "../pipeline/decode_image.ts";
import { Vocabulary } from "../pipeline/vocabulary.ts";
import { beamSearch, type DecodeStep } from "./beam_search.ts";
import type { Caption, WordSequence } from "./caption.ts";
import { detokenize } from "./detokenize.ts";
import { notebookSearch } from "./notebook_search.ts";

/** Options of {@linkcode Captioner.caption}. */
export interface CaptionOptions {
  /**
   * Captions pursued for each image.
   *
   * @default {the checkpoint's}
   */
  readonly beam?: number | undefined;
}

/**
 * A model with its words, loaded from a checkpoint. Dispose it with `using`.
 *
 * @example Captioning one photograph
 * ```ts ignore
 * import { Captioner, decodeImage } from "./mod.ts";
 *
 * using captioner = await Captioner.load("runs/first/best.safetensors");
 * const [caption] = await captioner.caption([await decodeImage(await Deno.readFile("dog.jpg"))]);
 * console.log(caption?.caption);
 * ```
 */
export class Captioner implements Disposable {
  /** What the checkpoint says of itself. */
  readonly metadata: CheckpointMetadata;
  readonly #engine: Engine;
  readonly #vocabulary: Vocabulary;

  private constructor(engine: Engine, metadata: CheckpointMetadata) {
    this.#engine = engine;
    this.metadata = metadata;
    this.#vocabulary = new Vocabulary(metadata.vocabulary);
  }

  /**
   * Loads a checkpoint.
   *
   * @param path The file that training wrote.
   * @param options Where and how to compute.
   * @returns The captioner.
   * @throws {InputError} If the file is no checkpoint, or the library or the device cannot be used.
   */
  static async load(path: string, options: EngineOptions = {}): Promise<Captioner> {
    using checkpoint = await openCheckpoint(path);
    const engine = await Engine.open(checkpoint.metadata.model, options);
    try {
      await loadModel(engine, checkpoint.tensors, { source: path });
      return new Captioner(engine, checkpoint.metadata);
    } catch (error) {
      engine[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Captions images.
   *
   * @param images Decoded images of any size.
   * @param options See {@linkcode CaptionOptions}.
   * @returns A caption for each.
   * @throws {InputError} If the beam is wider than this model's captions allow.
   */
  async caption(images: readonly RgbImage[], options: CaptionOptions = {}): Promise<Caption[]> {
    if (images.length === 0) return [];
    const features = await this.#engine.encode(await this.#preprocess(images));
    using decoding = await this.#engine.startDecoding(features, images.length);
    const sequences = await this.#search(
      (parents, words, k) => decoding.step(parents, words, k),
      images.length,
      options,
    );
    return sequences.map(({ words, logProbability }) => {
      const tokens = words.map((word) => this.#word(word));
      return { caption: detokenize(tokens), logProbability, tokens };
    });
  }

  /** A layer may be larger than its vocabulary; what is beyond was never trained. */
  #word(id: number): string {
    return this.#vocabulary.word(id < this.#vocabulary.size ? id : this.#vocabulary.unknown);
  }

  async #preprocess(images: readonly RgbImage[]): Promise<Images> {
    const { imageSize, shortSide } = this.metadata.preprocessing;
    const pixels = new Uint8Array(images.length * imageSize * imageSize * 3);
    for (const [index, image] of images.entries()) {
      // As in training: first the square that the cache holds, then its centre.
      const square = await this.#engine.resizeCrop(image, shortSide, shortSide);
      const cached = { width: shortSide, height: shortSide, pixels: square };
      const crop = await this.#engine.resizeCrop(cached, shortSide, imageSize);
      pixels.set(crop, index * crop.length);
    }
    return { count: images.length, height: imageSize, width: imageSize, pixels };
  }

  async #search(step: DecodeStep, images: number, { beam }: CaptionOptions): Promise<WordSequence[]> {
    const { decoding, model } = this.metadata;
    const { pad, unknown, start, end } = this.#vocabulary;
    if (decoding.firstWord !== undefined) {
      if (beam !== undefined && beam !== 1) {
        throw new InputError(
          `Cannot search with beam ${beam}: a model of the notebook recipe writes greedily; use --beam 1`,
        );
      }
      const [firstWord = unknown] = this.#vocabulary.encode([decoding.firstWord]);
      return await notebookSearch(step, { images, firstWord, padding: pad, maxWords: decoding.maxWords });
    }
    if (start === undefined || end === undefined) {
      throw new InputError("Cannot caption: the checkpoint's vocabulary has no <start> and <end>");
    }
    return await beamSearch(step, {
      images,
      beam: beam ?? decoding.beam,
      maxWords: decoding.maxWords,
      start,
      end,
      never: [pad, unknown, start],
      vocabularySize: model.vocabularySize,
      imageFirst: model.inject === "first",
    });
  }

  /** Frees the model. */
  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }
}
